/** The messages of any topic: the newest, those with a key or an id, and one message's way. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { MessagesPage, MessageView, TopicState } from '../../src/server/state.ts'
import { Card } from '../components/chart.tsx'
import { MessageDetails, MessageTable, placeOf } from '../components/message-table.tsx'
import { Empty, Load, Problem, WithState } from '../components/states.tsx'
import { messagesOf } from '../data/api.ts'
import { useLoaded } from '../data/hooks.ts'
import { go, hrefOf } from '../data/route.ts'
import { counted, fullNumber } from '../format.ts'
import { TraceView } from './trace.tsx'

export function MessagesView({ words }: { words: URLSearchParams }) {
  const trace = words.get('trace')
  return (
    <WithState>
      {(state) => {
        if (trace !== null) return <TraceView key={trace} id={trace} />
        const topics = [...state.topics].sort(
          (a, b) => Number(a.isInternal) - Number(b.isInternal) || (a.name < b.name ? -1 : 1),
        )
        if (topics.length === 0) {
          return <Empty title="There are no topics yet">Nothing was ever written here.</Empty>
        }
        const topic = topics.find(({ name }) => name === words.get('topic')) ?? topics[0]!
        const search = { key: words.get('key') ?? '', id: words.get('id') ?? '' }
        const place = JSON.stringify([topic.name, search])
        return (
          <>
            <SearchForm key={place} topics={topics} topic={topic.name} search={search} />
            <Messages key={`messages ${place}`} topic={topic} search={search} />
          </>
        )
      }}
    </WithState>
  )
}

interface Search {
  readonly key: string
  readonly id: string
}

function SearchForm(props: {
  readonly topics: readonly TopicState[]
  readonly topic: string
  readonly search: Search
}) {
  const { topics, topic, search } = props
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const data = new FormData(event.currentTarget as HTMLFormElement)
    const word = (name: string) => String(data.get(name) ?? '').trim()
    go(hrefOf('messages', { topic: word('topic'), key: word('key'), id: word('id') }))
  }
  const group = (isInternal: boolean) =>
    topics
      .filter((one) => one.isInternal === isInternal)
      .map(({ name }) => (
        <option key={name} value={name} selected={name === topic}>
          {name}
        </option>
      ))
  return (
    <form class="bar" onSubmit={submit}>
      <label>
        Topic
        <select
          name="topic"
          onChange={(event) => go(hrefOf('messages', { topic: event.currentTarget.value }))}
        >
          <optgroup label="Of the application">{group(false)}</optgroup>
          <optgroup label="Made by Millrace">{group(true)}</optgroup>
        </select>
      </label>
      <label>
        Key
        <input name="key" defaultValue={search.key} autoComplete="off" spellcheck={false} />
      </label>
      <label>
        Id
        <input name="id" defaultValue={search.id} autoComplete="off" spellcheck={false} />
      </label>
      <button type="submit">Search</button>
    </form>
  )
}

function Messages({ topic, search }: { topic: TopicState; search: Search }) {
  const { key, id } = search
  const { loaded, reload } = useLoaded(`${topic.name} ${key} ${id}`, () =>
    messagesOf(topic.name, { limit: 50, key, id }),
  )
  const isSearch = key !== '' || id !== ''
  return (
    <Card
      title={isSearch ? `Found in ${topic.name}` : `Newest of ${topic.name}`}
      note={`${fullNumber(topic.messages)} messages in ${counted(topic.partitions, 'partition')}; ${topic.cleanup === 'compact' ? 'the newest of each key is kept' : 'old ones are deleted in time'}`}
      aside={
        <button type="button" onClick={reload}>
          {isSearch ? 'Search again' : 'Load the newest'}
        </button>
      }
    >
      <Load of={loaded} what="the messages" retry={reload}>
        {(page, atMs) =>
          page.messages.length === 0 && page.older === null ? (
            <Nothing isSearch={isSearch} />
          ) : (
            <Pages key={atMs} first={page} topic={topic.name} search={search} />
          )
        }
      </Load>
    </Card>
  )
}

const Nothing = ({ isSearch }: { isSearch: boolean }) =>
  isSearch ? (
    <Empty title="No message has that key and id">
      Both must be given as they were written, in full. Retention may have taken it.
    </Empty>
  ) : (
    <Empty title="This topic is empty">Nothing was written to it yet.</Empty>
  )

/** The page that was loaded, and older ones below it as they are asked for. */
function Pages(props: {
  readonly first: MessagesPage
  readonly topic: string
  readonly search: Search
}) {
  const { first, topic, search } = props
  const [more, setMore] = useState<MessagesPage[]>([])
  const [problem, setProblem] = useState<string>()
  const [opened, open] = useState<MessageView>()
  const detail = useRef<HTMLElement>(null)
  useEffect(() => detail.current?.scrollIntoView({ block: 'nearest' }), [opened])
  const pages = [first, ...more]
  const isSearch = search.key !== '' || search.id !== ''
  const older = pages.at(-1)!.older
  const loadOlder = () =>
    messagesOf(topic, { ...search, limit: 50, before: older ?? undefined }).then(
      (page) => {
        setProblem(undefined)
        setMore([...more, page])
      },
      (error: Error) => setProblem(error.message),
    )
  return (
    <div class={opened === undefined ? 'split' : 'split split-open'}>
      <div>
        <MessageTable
          label={`Messages of ${topic}`}
          messages={pages.flatMap(({ messages }) => messages)}
          opened={opened === undefined ? undefined : placeOf(opened)}
          open={open}
        />
        {problem !== undefined && <Problem message={problem} />}
        {isSearch && <p class="quiet after">{searchedWords(pages.at(-1)!)}</p>}
        {older !== null && (
          <button type="button" class="after" onClick={loadOlder}>
            {isSearch ? 'Search older ones' : 'Load older ones'}
          </button>
        )}
      </div>
      {opened !== undefined && (
        <section ref={detail} class="detail" aria-label="The opened message">
          <header>
            <h3>Message {placeOf(opened)}</h3>
            <button type="button" onClick={() => open(undefined)}>
              Close
            </button>
          </header>
          <MessageDetails message={opened} />
        </section>
      )}
    </div>
  )
}

/** A search is bounded: what it did not find may be further back. */
function searchedWords({ searched, older }: MessagesPage): string {
  const looked = counted(searched.messages, 'message')
  return older === null
    ? `Searched to the oldest message that is kept.`
    : `Searched the newest ${looked} of those not yet searched; there are older ones.`
}
