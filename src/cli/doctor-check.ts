/** What a check of the doctor is, and what it finds. */

export type Health = 'ok' | 'warn' | 'fail'

export interface Finding {
  readonly health: Health
  /** What was seen. */
  readonly saw: string
  /** What to do, unless all is well. */
  readonly fix?: string
}

export interface Check {
  readonly name: string
  run(): Finding | Promise<Finding>
}
