/** DatePicker and CalendarPicker. */
import { isObject, type JsonValue } from '../../../json.ts';
import { type DateRange, dateRulesOf, isSelectable, mayEnd, rangeOf, rangeValue } from '../flow/date-rules.ts';
import { longDate, readDay, toTime } from '../flow/dates.ts';
import { isEnabled } from '../flow/nodes.ts';
import { Calendar } from './calendar.tsx';
import { Field } from './field.tsx';
import { fieldValue, type NodeProps, nameOf, wordOf } from './kit.ts';
import { SheetField } from './sheet-field.tsx';

/** Before Flow JSON 5.0 a date goes as milliseconds in a text. */
const DAYS_SINCE = 500;

export function DatePicker(props: NodeProps) {
  const { node, kit } = props;
  const day = readDay(fieldValue(props));
  const choose = (chosen: string) =>
    kit.change(nameOf(node), asDays(node.props, kit.version) ? chosen : String(toTime(chosen) ?? ''));
  return (
    <SheetField
      field={props}
      chosen={day === undefined ? undefined : longDate(day)}
      placeholder="Choose a date"
      mark="calendar-mark"
      choices={(close) => (
        <DayCalendar
          {...props}
          day={day}
          onChoose={(chosen) => {
            close();
            choose(chosen);
          }}
        />
      )}
    />
  );
}

function asDays({ 'min-date': min, 'max-date': max, 'init-value': init }: NodeProps['node']['props'], version: number) {
  const given = [min, max, init].find((value) => typeof value === 'string' && value !== '');
  return given === undefined ? version >= DAYS_SINCE : toTime(String(given)) !== undefined;
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
