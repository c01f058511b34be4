/** A screen of which only its data is known: a Flow without Flow JSON. Whatever it takes is written as JSON. */
import { useState } from 'preact/hooks';
import type { JsonObject } from '../../../json.ts';
import type { View } from '../flow/view.ts';
import { JsonEditor, parseObject } from '../inspector/json-editor.tsx';
import { Tree } from '../inspector/tree.tsx';

export function PlainScreen({ view, onSubmit }: { readonly view: View; onSubmit(data: JsonObject): void }) {
  const [text, setText] = useState('{}');
  const parsed = parseObject(text);
  return (
    <div class="flow-body">
      <p class="notice">
        The app gives no Flow JSON for this Flow, so the playground shows the screen’s data, and sends what you write.
      </p>
      <Tree label="Data of the screen" value={view.frame.data} />
      <JsonEditor label="Payload" text={text} onChange={setText} />
      <button type="button" class="primary" disabled={!parsed} onClick={() => parsed && onSubmit(parsed)}>
        Submit
      </button>
    </div>
  );
}
