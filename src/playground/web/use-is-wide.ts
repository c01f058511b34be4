/** Whether phone and inspector fit beside each other. */
import { useEffect, useState } from 'preact/hooks';

const query = matchMedia('(min-width: 900px)');

export function useIsWide(): boolean {
  const [isWide, setWide] = useState(query.matches);
  useEffect(() => {
    const onChange = () => setWide(query.matches);
    query.addEventListener('change', onChange);
    return () => query.removeEventListener('change', onChange);
  }, []);
  return isWide;
}
