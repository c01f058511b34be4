/** Components that show something: text, images, links, and the footer. */
import { any, type ComponentKind, flag, type Limits, shown, word } from './limits.ts';
import { anyText, fieldRules, image, list, stringField } from './rules.ts';

export function displayKinds(limits: Limits): Readonly<Record<string, ComponentKind>> {
  const heading = { properties: { ...shown, text: limits.needed(80) }, needs: ['text'] };
  const styles = { 'font-weight': word, strikethrough: flag, markdown: { type: 'boolean', since: 501 } } as const;
  // Its text may be a list of texts, too, where it is Markdown.
  const body = { properties: { ...shown, ...styles, text: { rule: limits.needed(4096).rule } }, needs: ['text'] };
  return {
    TextHeading: heading,
    TextSubheading: heading,
    TextBody: body,
    TextCaption: body,
    // A text or a list of texts, without a limit of its own; its images are data: URLs, unlike everywhere else.
    RichText: { since: 501, properties: { ...shown, text: any }, needs: ['text'] },
    Image: {
      properties: {
        ...shown,
        src: { type: 'string', rule: image({ isPhoto: true }) },
        width: any,
        height: any,
        'scale-type': word,
        'aspect-ratio': any,
        'alt-text': word,
      },
      needs: ['src'],
      perScreen: 3,
    },
    ImageCarousel: {
      since: 701,
      properties: {
        ...shown,
        images: { type: 'array', rule: list(carouselImage, { min: 1, max: 3 }) },
        'aspect-ratio': word,
        'scale-type': word,
      },
      needs: ['images'],
      perScreen: 2,
    },
    EmbeddedLink: {
      properties: { ...shown, text: limits.needed(25), 'on-click-action': any },
      needs: ['text', 'on-click-action'],
      perScreen: 2,
    },
    Footer: {
      properties: {
        ...shown,
        enabled: flag,
        label: limits.needed(35),
        'left-caption': limits.upTo(15),
        'center-caption': limits.upTo(15),
        'right-caption': limits.upTo(15),
        'on-click-action': any,
      },
      needs: ['label', 'on-click-action'],
      perScreen: 1,
    },
  };
}

/** Its formats are not documented, unlike those of an Image. */
const carouselImage = fieldRules(
  { src: stringField(image({})), 'alt-text': stringField(anyText) },
  { required: ['src'] },
);
