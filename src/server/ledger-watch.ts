/**
 * Checks the ledgers against what the topics really hold, one pipeline at a time and seldom enough to
 * cost about a hundredth of the time, however much there is to count.
 */
import type { Log } from '../log/log.ts'
import { auditOfPlan } from '../pipeline/audit.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'

interface Verdict {
  readonly hash: string
  readonly imbalances: readonly string[]
  /** When to look again. */
  readonly dueMs: number
}

const leastEveryMs = 15_000
const shareOfTime = 0.01

export class LedgerWatch {
  readonly #verdicts = new Map<string, Verdict>()

  /** Audits the plan that has waited longest, if one is due. */
  async look(log: Log, plans: readonly PipelinePlan[], nowMs: number): Promise<void> {
    const due = plans
      .map((plan) => ({ plan, dueMs: this.#known(plan)?.dueMs ?? 0 }))
      .filter(({ dueMs }) => dueMs <= nowMs)
      .sort((a, b) => a.dueMs - b.dueMs)[0]
    if (due === undefined) return
    const { plan } = due
    const startMs = performance.now()
    const audit = await auditOfPlan(log, plan)
    const tookMs = performance.now() - startMs
    // Busy all the while: what was found before still stands.
    const imbalances = audit?.imbalances ?? this.#known(plan)?.imbalances ?? []
    const dueMs = nowMs + Math.max(leastEveryMs, tookMs / shareOfTime)
    this.#verdicts.set(plan.name, { hash: plan.hash, imbalances, dueMs })
  }

  /** What did not balance when it was last looked at. */
  imbalances(plan: PipelinePlan): readonly string[] {
    return this.#known(plan)?.imbalances ?? []
  }

  #known(plan: PipelinePlan): Verdict | undefined {
    const verdict = this.#verdicts.get(plan.name)
    return verdict?.hash === plan.hash ? verdict : undefined
  }
}
