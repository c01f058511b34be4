/** Copies a text, and says so. Where the clipboard is out of reach, the text is shown to be copied by hand. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

interface CopyButtonProps {
  readonly children: ComponentChildren;
  readonly isDisabled?: boolean;
  text(): string;
}

export function CopyButton({ children, isDisabled = false, text }: CopyButtonProps) {
  const [said, say] = useState('');
  const [shown, show] = useState<string>();
  const copy = async () => {
    const copied = text();
    try {
      await navigator.clipboard.writeText(copied);
      say('Copied');
      show(undefined);
    } catch {
      say('');
      show(copied);
    }
  };
  return (
    <>
      <button type="button" disabled={isDisabled} onClick={() => void copy()}>
        {children}
      </button>
      <span class="said" role="status">
        {said}
      </span>
      {shown !== undefined && <textarea class="copied" readOnly rows={12} aria-label="To copy by hand" value={shown} />}
    </>
  );
}
