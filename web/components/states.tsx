/** Nothing there, not there yet, gone wrong: said in words, where the content would be. */
import type { ComponentChildren } from 'preact'
import type { State } from '../../src/server/state.ts'
import type { Loaded } from '../data/hooks.ts'
import { useKnown } from '../data/hooks.ts'

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children !== undefined && <p>{children}</p>}
    </div>
  )
}

export function Problem({ message, retry }: { message: string; retry?: () => void }) {
  return (
    <div class="empty problem">
      <p class="empty-title">This did not work: {message}.</p>
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  )
}

export const Loading = ({ what }: { what: string }) => (
  <p class="quiet loading">Loading {what}...</p>
)

/** Shows what was loaded, or in words why not. */
export function Load<Value>(props: {
  readonly of: Loaded<Value>
  readonly what: string
  readonly retry: () => void
  readonly children: (value: Value, atMs: number) => ComponentChildren
}) {
  const { of, what, retry, children } = props
  if (of.kind === 'loading') return <Loading what={what} />
  if (of.kind === 'failed') return <Problem message={of.message} retry={retry} />
  return <>{children(of.value, of.atMs)}</>
}

/** For views that can show nothing before the first state is there. */
export function WithState({ children }: { children: (state: State) => ComponentChildren }) {
  const { state, connection } = useKnown()
  if (state !== undefined) return <>{children(state)}</>
  if (connection.kind === 'connecting') return <Loading what="the state of the pipelines" />
  return (
    <Empty title="The server does not answer">
      This page shows what a running Millrace tells it. Is the process that served it still there?
      It is tried again every few seconds.
    </Empty>
  )
}
