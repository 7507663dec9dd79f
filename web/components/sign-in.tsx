/** Where a server is open to others it wants a token: what is to be known of it, and where it is given. */
import { useState } from 'preact/hooks'
import { beginSession } from '../data/api.ts'
import { Problem } from './states.tsx'

export function SignIn() {
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const begin = (event: SubmitEvent) => {
    event.preventDefault()
    const token = String(new FormData(event.currentTarget as HTMLFormElement).get('token') ?? '')
    setBusy(true)
    beginSession(token.trim()).then(
      () => location.reload(),
      (error: Error) => {
        setBusy(false)
        setProblem(error.message)
      },
    )
  }
  return (
    <section class="card" aria-labelledby="sign-in">
      <h2 id="sign-in">This server wants a token</h2>
      <p class="quiet">
        Whoever started it knows it: it stands in the environment as <code>MILLRACE_TOKEN</code>, or
        in the file <code>token</code> of the state directory (<code>.millrace</code>).
      </p>
      <form class="bar after" onSubmit={begin}>
        <label>
          Token
          <input type="password" name="token" required autoComplete="current-password" />
        </label>
        <button type="submit" disabled={isBusy}>
          {isBusy ? 'Asking...' : 'Open'}
        </button>
      </form>
      {problem !== undefined && <Problem message={problem} />}
    </section>
  )
}
