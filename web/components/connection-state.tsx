/** How the connection to the server is, in words. The only thing that is read out by itself. */
import { useEffect, useState } from 'preact/hooks'
import { endSession, hasSession } from '../data/api.ts'
import { useKnown } from '../data/hooks.ts'
import type { Connection } from '../data/store.ts'
import { clockTime } from '../format.ts'

function wordsOf({ kind, sinceMs }: Connection): string {
  if (kind === 'connecting') return 'connecting'
  if (kind === 'live') return 'live'
  if (kind === 'locked') return 'a token is wanted'
  if (kind === 'reconnecting') return `reconnecting since ${clockTime(sinceMs)}`
  return `the server is gone since ${clockTime(sinceMs)}; trying again`
}

export function ConnectionState() {
  const { connection, state, firstVersion } = useKnown()
  const isOther = state !== undefined && firstVersion !== state.version
  return (
    <div class="connection">
      {/* Separate from the version, so that only a change of the connection is read out. */}
      <span role="status" aria-live="polite" class={`state-${connection.kind}`}>
        <span class="lamp" aria-hidden="true" />
        {wordsOf(connection)}
      </span>
      {connection.kind === 'live' && <SignOut />}
      {state !== undefined && <span class="version">Millrace {state.version}</span>}
      {isOther && (
        <button type="button" onClick={() => location.reload()}>
          Another version runs now: reload
        </button>
      )}
    </div>
  )
}

/** Where the server wants a token, and this browser gave it. */
function SignOut() {
  const [isSignedIn, setSignedIn] = useState(false)
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    hasSession().then(setSignedIn)
  }, [])
  if (!isSignedIn) return null
  const signOut = () =>
    endSession().then(
      () => location.reload(),
      (error: Error) => setProblem(error.message),
    )
  return (
    <>
      {problem !== undefined && <span class="bad">not signed out: {problem}</span>}
      <button type="button" class="plain" onClick={signOut}>
        Sign out
      </button>
    </>
  )
}
