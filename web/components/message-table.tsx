/** Messages of a topic, a row each; a row opens to all that is known of the message. */
import type { MessageView } from '../../src/server/state.ts'
import { hrefOf } from '../data/route.ts'
import { fullTime, oneLine, pretty, shortTime } from '../format.ts'
import { Table } from './table.tsx'

export const placeOf = ({ partition, offset }: MessageView) => `${partition}/${offset}`

export function MessageTable(props: {
  readonly label: string
  readonly messages: readonly MessageView[]
  readonly opened?: string | undefined
  /** Without it the rows only tell. */
  readonly open?: (message: MessageView) => void
}) {
  const { label, messages, opened, open } = props
  return (
    <Table
      label={label}
      keyOf={placeOf}
      rows={messages}
      rowClass={(message) => (placeOf(message) === opened ? 'chosen' : undefined)}
      columns={[
        {
          title: 'Time',
          cell: ({ timeMs }) => <span class="figure">{shortTime(timeMs, Date.now())}</span>,
          full: ({ timeMs }) => fullTime(timeMs),
        },
        {
          title: 'Place',
          cell: (message) =>
            open === undefined ? (
              <span class="figure">{placeOf(message)}</span>
            ) : (
              <button
                type="button"
                class="plain figure"
                aria-pressed={placeOf(message) === opened}
                aria-label={`Open the message at ${placeOf(message)}`}
                onClick={() => open(message)}
              >
                {placeOf(message)}
              </button>
            ),
          full: ({ partition, offset }) => `partition ${partition}, offset ${offset}`,
        },
        {
          title: 'Key',
          cell: ({ key }) => <span class="code">{key === null ? '-' : oneLine(key, 24)}</span>,
          full: ({ key }) => key ?? 'no key',
        },
        {
          title: 'Value',
          isWide: true,
          cell: ({ value }) => (
            <span class="code">{value === null ? 'a delete' : oneLine(value)}</span>
          ),
        },
      ]}
    />
  )
}

export function MessageDetails({ message }: { message: MessageView }) {
  const { id, key, version, timeMs, value, isCut, headers } = message
  return (
    <>
      <dl class="facts facts-lines">
        <Line name="id" value={id ?? 'none'} />
        <Line name="key" value={key ?? 'none'} />
        <Line name="version" value={version === null ? 'none' : String(version)} />
        <Line name="time" value={fullTime(timeMs)} />
        <Line name="place" value={`partition ${message.partition}, offset ${message.offset}`} />
        {Object.entries(headers).map(([name, text]) => (
          <Line key={name} name={`header ${name}`} value={text} />
        ))}
      </dl>
      {value === null ? (
        <p>A delete: the message has no value.</p>
      ) : (
        <Value value={value} isCut={isCut} />
      )}
      {id !== null && (
        <p>
          <a href={hrefOf('messages', { trace: id })}>What happened to this one?</a>
        </p>
      )}
    </>
  )
}

export function Value({ value, isCut = false }: { value: unknown; isCut?: boolean }) {
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so it must be reachable by keyboard */}
      <pre tabIndex={0}>{pretty(value)}</pre>
      {isCut && <p class="quiet">It is longer; only its beginning is shown.</p>}
    </>
  )
}

function Line({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="code">{value}</dd>
    </div>
  )
}
