/** Footer: the one button that leads on, and the captions above it. */
import { isEnabled } from '../flow/nodes.ts';
import { type NodeProps, wordOf } from './kit.ts';

export function Footer({ node, kit }: NodeProps) {
  const captions = ['left-caption', 'center-caption', 'right-caption'].map((key) => wordOf(node, key));
  return (
    <div class="flow-footer">
      {captions.some((caption) => caption !== undefined) && (
        <p class="captions">
          {captions.map((caption, index) => (
            <span key={index}>{caption}</span>
          ))}
        </p>
      )}
      <button
        type="button"
        class="primary"
        disabled={!isEnabled(node.props)}
        aria-disabled={kit.isBusy}
        onClick={() => kit.press(node.component['on-click-action'], true)}
      >
        {wordOf(node, 'label') ?? 'Continue'}
      </button>
    </div>
  );
}
