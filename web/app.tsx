/** The shell: the name, the way to each view, how the connection is, and the view itself. */
import type { ComponentType } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { ConnectionState } from './components/connection-state.tsx'
import { SignIn } from './components/sign-in.tsx'
import { Empty } from './components/states.tsx'
import { useKnown } from './data/hooks.ts'
import { hrefOf, type Route, useRoute, type ViewPath, views } from './data/route.ts'
import { shortNumber } from './format.ts'
import { DeadLettersView } from './views/dead-letters.tsx'
import { LedgerView } from './views/ledger.tsx'
import { MessagesView } from './views/messages.tsx'
import { ModelsView } from './views/models.tsx'
import { OverviewView } from './views/overview.tsx'
import { PanelsView } from './views/panels.tsx'
import { PipelinesView } from './views/pipelines.tsx'

const components: Readonly<Record<ViewPath, ComponentType<{ words: URLSearchParams }>>> = {
  '': OverviewView,
  pipelines: PipelinesView,
  messages: MessagesView,
  models: ModelsView,
  'dead-letters': DeadLettersView,
  ledger: LedgerView,
  panels: PanelsView,
}

export function App() {
  const route = useRoute()
  const { state, connection } = useKnown()
  const main = useRef<HTMLElement>(null)
  const title = views.find(({ path }) => path === route.path)?.title ?? 'Not found'
  useEffect(() => {
    document.title = `${title} - Millrace`
  }, [title])
  return (
    <>
      {/* A button: a link to #main would be taken for another view. */}
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href={hrefOf('')}>
          Millrace
        </a>
        <Navigation route={route} deadLetters={deadLetterCount(state)} />
        <ConnectionState />
      </header>
      <main ref={main} id="main" tabIndex={-1}>
        <h1>{title}</h1>
        {connection.kind === 'locked' ? <SignIn /> : <View route={route} />}
      </main>
    </>
  )
}

function View({ route }: { route: Route }) {
  if (route.path === undefined) {
    return (
      <Empty title="There is no such view">
        The address of this page ends in something that Millrace does not know.{' '}
        <a href={hrefOf('')}>Go to the overview</a>.
      </Empty>
    )
  }
  const Component = components[route.path]
  return <Component words={route.words} />
}

const deadLetterCount = (state: ReturnType<typeof useKnown>['state']) =>
  state?.pipelines.reduce((sum, pipeline) => sum + pipeline.deadLetters, 0) ?? 0

function Navigation({ route, deadLetters }: { route: Route; deadLetters: number }) {
  return (
    <nav aria-label="Views">
      {views.map(({ path, title }) => (
        <a key={path} href={hrefOf(path)} aria-current={route.path === path ? 'page' : undefined}>
          {title}
          {path === 'dead-letters' && deadLetters > 0 && (
            <span class="count">{shortNumber(deadLetters)}</span>
          )}
        </a>
      ))}
    </nav>
  )
}
