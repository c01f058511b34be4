/**
 * What slides over the phone's screen: a list to choose from, a calendar, an address.
 *
 * It takes the focus and gives it back, Escape closes it, and the page around the phone stays within reach.
 */
import { type ComponentChildren, createContext, createPortal } from 'preact';
import { useContext, useLayoutEffect, useRef } from 'preact/hooks';

/** The element of the phone that sheets are drawn in, beside the screen: the screen is out of reach meanwhile. */
export const SheetPlace = createContext<HTMLElement | null>(null);

interface SheetProps {
  readonly title: string;
  readonly children: ComponentChildren;
  onClose(): void;
}

export function Sheet(props: SheetProps) {
  const place = useContext(SheetPlace);
  return place && createPortal(<SheetBody {...props} place={place} />, place);
}

function SheetBody({ title, children, place, onClose }: SheetProps & { readonly place: HTMLElement }) {
  const sheet = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const setReach = (isInert: boolean) => {
      for (const part of place.parentElement?.children ?? [])
        if (part !== place) part.toggleAttribute('inert', isInert);
    };
    setReach(true);
    const first = sheet.current?.querySelector<HTMLElement>('[data-autofocus]') ?? sheet.current;
    first?.focus();
    return () => {
      setReach(false);
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [place]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    onClose();
  };
  return (
    <div class="sheet-backdrop">
      <div class="sheet" role="dialog" aria-label={title} tabIndex={-1} ref={sheet} onKeyDown={onKeyDown}>
        <div class="sheet-head">
          <h2>{title}</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
            ✕
          </button>
        </div>
        {children}
      </div>
    </div>
  );
}
