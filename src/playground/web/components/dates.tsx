/** DatePicker and CalendarPicker. */
import { useState } from 'preact/hooks';
import { isObject, type JsonValue } from '../../../json.ts';
import { type DateRange, dateRulesOf, isSelectable, mayEnd, rangeOf, rangeValue } from '../flow/date-rules.ts';
import { longDate, readDay, toTime } from '../flow/dates.ts';
import { isEnabled } from '../flow/nodes.ts';
import { Calendar } from './calendar.tsx';
import { describedBy, Field, labelOf } from './field.tsx';
import { fieldErrorOf, fieldValue, idOf, type NodeProps, nameOf, wordOf } from './kit.ts';
import { Sheet } from './sheet.tsx';

/** Before Flow JSON 5.0 a date goes as milliseconds in a text. */
const DAYS_SINCE = 500;

export function DatePicker(props: NodeProps) {
  const { node, kit } = props;
  const [isOpen, setOpen] = useState(false);
  const id = idOf(props);
  const day = readDay(fieldValue(props));
  const choose = (chosen: string) => {
    setOpen(false);
    kit.change(nameOf(node), asDays(node.props) ? chosen : String(toTime(chosen) ?? ''));
  };
  return (
    <Field {...props}>
      <button
        type="button"
        id={id}
        class="select"
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        aria-labelledby={`${id}-label ${id}`}
        aria-describedby={describedBy(props)}
        data-invalid={fieldErrorOf(props) !== undefined}
        disabled={!isEnabled(node.props)}
        onClick={() => !kit.isBusy && setOpen(true)}
      >
        <span class={day === undefined ? 'placeholder' : ''}>
          {day === undefined ? 'Choose a date' : longDate(day)}
        </span>
        <span aria-hidden="true" class="calendar-mark" />
      </button>
      {isOpen && (
        <Sheet title={labelOf(node.props['label'])} onClose={() => setOpen(false)}>
          <DayCalendar {...props} day={day} onChoose={choose} />
        </Sheet>
      )}
    </Field>
  );

  function asDays({ 'min-date': min, 'max-date': max, 'init-value': init }: typeof node.props): boolean {
    const given = [min, max, init].find((value) => typeof value === 'string' && value !== '');
    return given === undefined ? kit.version >= DAYS_SINCE : toTime(String(given)) !== undefined;
  }
}

function DayCalendar({
  node,
  day,
  onChoose,
}: NodeProps & { readonly day: string | undefined; onChoose(day: string): void }) {
  const rules = dateRulesOf(node.props);
  return (
    <Calendar
      rules={rules}
      from={day}
      to={undefined}
      isEnabled={(candidate) => isSelectable(candidate, rules)}
      onChoose={onChoose}
    />
  );
}

export function CalendarPicker(props: NodeProps) {
  const isRange = props.node.props['mode'] === 'range';
  return (
    <Field {...props} isGroup={true} label={isRange ? wordOf(props.node, 'title') : undefined}>
      {isRange ? <RangeCalendar {...props} /> : <SingleCalendar {...props} />}
    </Field>
  );
}

function SingleCalendar(props: NodeProps) {
  const { node, kit } = props;
  const rules = dateRulesOf(node.props);
  const day = readDay(fieldValue(props));
  return (
    <>
      <p class="chosen-dates">{day === undefined ? 'No date chosen' : longDate(day)}</p>
      <Calendar
        rules={rules}
        from={day}
        to={undefined}
        isEnabled={(candidate) => isEnabled(node.props) && isSelectable(candidate, rules)}
        onChoose={(chosen) => kit.change(nameOf(node), chosen)}
      />
    </>
  );
}

/** The first day chosen begins the range, the second ends it, the third begins another. */
function RangeCalendar(props: NodeProps) {
  const { node, kit } = props;
  const rules = dateRulesOf(node.props);
  const range = rangeOf(fieldValue(props));
  const { start, end } = range;
  const isOpen = start !== undefined && end === undefined;
  const choose = (day: string) => kit.change(nameOf(node), rangeValue(nextRange(range, day)));
  const isOffered = (day: string) => isSelectable(day, rules) && (!isOpen || day < start || mayEnd(start, day, rules));
  return (
    <>
      <p class="chosen-dates">{rangeText(range, node.props['label'])}</p>
      <Calendar
        rules={rules}
        from={start}
        to={end}
        isEnabled={(day) => isEnabled(node.props) && isOffered(day)}
        onChoose={choose}
      />
    </>
  );
}

function nextRange({ start, end }: DateRange, day: string): DateRange {
  return start === undefined || end !== undefined || day < start ? { start: day, end: undefined } : { start, end: day };
}

/** `Arrival: 1 June 2030 · Departure: choose`. */
function rangeText({ start, end }: DateRange, labels: JsonValue | undefined): string {
  const { 'start-date': first = 'From', 'end-date': last = 'To' } = isObject(labels) ? labels : {};
  const shown = (day: string | undefined) => (day === undefined ? 'choose' : longDate(day));
  return `${String(first)}: ${shown(start)} · ${String(last)}: ${shown(end)}`;
}
