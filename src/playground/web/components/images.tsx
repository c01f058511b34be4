/** Image and ImageCarousel. */
import { useId, useState } from 'preact/hooks';
import { isObject, type JsonValue } from '../../../json.ts';
import { imageSource } from '../flow/images.ts';
import { count } from '../flow/validation.ts';
import { type NodeProps, wordOf } from './kit.ts';

export function Image({ node }: NodeProps) {
  const { width, height } = node.props;
  const ratio = Number(node.props['aspect-ratio']);
  const style = {
    height: sizeOf(height) ?? 'auto',
    width: sizeOf(width) ?? '100%',
    aspectRatio: ratio > 0 && sizeOf(height) === undefined ? String(ratio) : 'auto',
    objectFit: node.props['scale-type'] === 'cover' ? 'cover' : 'contain',
  };
  return <Picture src={node.props['src']} alt={wordOf(node, 'alt-text') ?? ''} style={style} />;
}

function sizeOf(value: JsonValue | undefined): string | undefined {
  const pixels = count(value, 0);
  return pixels > 0 ? `${Math.min(pixels, 2_000)}px` : undefined;
}

interface PictureProps {
  readonly src: JsonValue | undefined;
  readonly alt: string;
  readonly style: Readonly<Record<string, string>>;
}

function Picture({ src, alt, style }: PictureProps) {
  const source = imageSource(src);
  if (source === undefined) return <p class="no-image">An image that is no JPEG, PNG or WebP</p>;
  return <img class="image" src={source} alt={alt} style={style} />;
}

/** One at a time, with buttons for the others. */
export function ImageCarousel({ node }: NodeProps) {
  const [shown, setShown] = useState(0);
  const id = useId();
  const images = Array.isArray(node.props['images']) ? node.props['images'].filter(isObject) : [];
  const at = Math.min(shown, images.length - 1);
  const image = images[at];
  if (!image) return null;
  const style = {
    aspectRatio: node.props['aspect-ratio'] === '16:9' ? '16 / 9' : '4 / 3',
    objectFit: node.props['scale-type'] === 'cover' ? 'cover' : 'contain',
  };
  const alt = typeof image['alt-text'] === 'string' ? image['alt-text'] : '';
  return (
    <section class="carousel" aria-roledescription="carousel" aria-label="Images">
      <div id={id} aria-live="polite">
        <Picture src={image['src']} alt={alt} style={style} />
      </div>
      {images.length > 1 && (
        <div class="dots">
          {images.map((_, index) => (
            <button
              key={index}
              type="button"
              class="dot"
              aria-label={`Image ${index + 1} of ${images.length}`}
              aria-pressed={index === at}
              aria-controls={id}
              onClick={() => setShown(index)}
            />
          ))}
        </div>
      )}
    </section>
  );
}
