/** Window steps against the reference, a few streams; `window-step.slow.test.ts` has many. */
import { windowStepLaws } from './window-step-laws-testing.ts'

windowStepLaws(25)
