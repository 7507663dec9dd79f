/** A question before something happens that cannot be taken back. The browser keeps the focus inside. */
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

export function Confirm(props: {
  readonly title: string
  readonly action: string
  readonly isDanger?: boolean
  readonly isBusy: boolean
  readonly confirm: () => void
  readonly cancel: () => void
  readonly children: ComponentChildren
}) {
  const { title, action, isDanger = false, isBusy, confirm, cancel, children } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => dialog.current?.showModal(), [])
  // While it stands on the page it gives the focus back to the button that opened it.
  const close = () => dialog.current?.close()
  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onCancel={(event) => {
        if (isBusy) event.preventDefault()
      }}
      onClose={cancel}
    >
      <h2 id={titleId} class="dialog-title">
        {title}
      </h2>
      {children}
      <div class="buttons">
        <button type="button" onClick={close} disabled={isBusy}>
          Cancel
        </button>
        <button
          type="button"
          class={isDanger ? 'danger' : 'primary'}
          onClick={confirm}
          disabled={isBusy}
        >
          {isBusy ? 'Working...' : action}
        </button>
      </div>
    </dialog>
  )
}
