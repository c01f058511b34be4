/** `npm run grafana`: writes the dashboards, and the tables of their panels in the README. */
import { writeFileSync } from 'node:fs';
import { generatedFiles } from './src/files.ts';

for (const { url, text } of generatedFiles().values()) writeFileSync(url, text);
