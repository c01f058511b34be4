/** PhotoPicker and DocumentPicker: local files, encrypted into the server's own CDN. */
import { useRef, useState } from 'preact/hooks';
import { isObject, type JsonObject, type JsonValue } from '../../../json.ts';
import { DEFAULTS } from '../flow/limits.ts';
import { isEnabled } from '../flow/nodes.ts';
import { count } from '../flow/validation.ts';
import { describedBy, Field } from './field.tsx';
import { fieldValue, idOf, type NodeProps, nameOf } from './kit.ts';

export function PhotoPicker(props: NodeProps) {
  const most = count(props.node.props['max-uploaded-photos'], DEFAULTS.files);
  return <Picker {...props} most={most} accept="image/*" word="photo" />;
}

export function DocumentPicker(props: NodeProps) {
  const { 'allowed-mime-types': types, 'max-uploaded-documents': max } = props.node.props;
  const accept = Array.isArray(types) ? types.filter((type) => typeof type === 'string').join(',') : '';
  return <Picker {...props} most={count(max, DEFAULTS.files)} accept={accept} word="document" />;
}

interface PickerProps extends NodeProps {
  readonly most: number;
  readonly accept: string;
  readonly word: string;
}

function Picker({ most, accept, word, ...props }: PickerProps) {
  const { node, kit } = props;
  const [problem, setProblem] = useState<string>();
  const [isUploading, setUploading] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const files = filesOf(fieldValue(props));
  const most_kb = count(node.props['max-file-size-kb'], DEFAULTS.fileKb);
  const id = idOf(props);
  const add = async (chosen: readonly File[]) => {
    setProblem(undefined);
    const tooLarge = chosen.find(({ size }) => size > most_kb * 1024);
    if (tooLarge) return setProblem(`${tooLarge.name} is larger than ${most_kb} kB.`);
    if (files.length + chosen.length > most) return setProblem(`At most ${most}.`);
    setUploading(true);
    try {
      const uploads = [];
      for (const file of chosen) uploads.push((await kit.upload(file)).media);
      kit.change(nameOf(node), [...files, ...uploads]);
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setUploading(false);
    }
  };
  const remove = (at: number) =>
    kit.change(
      nameOf(node),
      files.filter((_, index) => index !== at),
    );
  return (
    <Field {...props} isGroup={true}>
      <input
        ref={input}
        id={id}
        class="file-input"
        type="file"
        accept={accept}
        multiple={most > 1}
        aria-label={`Add a ${word}`}
        aria-describedby={describedBy(props)}
        disabled={!isEnabled(node.props) || kit.isBusy || isUploading || files.length >= most}
        onChange={(event) => {
          const chosen = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = '';
          if (chosen.length > 0) void add(chosen);
        }}
      />
      {files.length > 0 && (
        <ul class="files">
          {files.map((file, index) => (
            <li key={String(file['media_id'])}>
              <span>{String(file['file_name'] ?? word)}</span>
              <button
                type="button"
                class="icon-button"
                aria-label={`Remove ${String(file['file_name'])}`}
                onClick={() => remove(index)}
              >
                ✕
              </button>
            </li>
          ))}
        </ul>
      )}
      <p class="field-error" role="status">
        {isUploading ? 'Encrypting…' : problem}
      </p>
    </Field>
  );
}

function filesOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
