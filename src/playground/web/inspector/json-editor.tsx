/** A JSON object to write, with what is wrong with it. */
import { useId } from 'preact/hooks';
import { isObject, type JsonObject } from '../../../json.ts';

interface JsonEditorProps {
  readonly label: string;
  readonly text: string;
  readonly rows?: number;
  onChange(text: string): void;
}

export function JsonEditor({ label, text, rows = 8, onChange }: JsonEditorProps) {
  const id = useId();
  const problem = problemOf(text);
  return (
    <div class="json-editor">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        rows={rows}
        spellcheck={false}
        value={text}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-problem`}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      <p class="field-error" id={`${id}-problem`} role="status">
        {problem}
      </p>
    </div>
  );
}

/** @returns undefined for anything but one JSON object. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function problemOf(text: string): string | undefined {
  if (parseObject(text)) return undefined;
  try {
    JSON.parse(text);
    return 'This must be an object.';
  } catch (error) {
    return `This is no JSON: ${(error as Error).message}`;
  }
}
