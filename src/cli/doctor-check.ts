/** What a check of the doctor is, and what it finds. */

export type Health = 'ok' | 'warn' | 'fail'

export interface Finding {
  readonly health: Health
  /** What was seen. */
  readonly saw: string
  /** What to do, unless all is well; commands stand on lines of their own. */
  readonly fix?: string
}

/** What was found, and by which check. */
export interface NamedFinding extends Finding {
  readonly name: string
}

export interface Check {
  readonly name: string
  run(): Finding | Promise<Finding>
}
