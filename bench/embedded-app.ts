/** The work that bench/embedded.ts measures, as an application. */
import { topic } from 'millrace'
import type { Tweet } from './tweets.ts'
import { scoring } from './tweets-app.ts'

export const raw = topic<Tweet>('raw')

export const score = scoring('score', raw, 'scored')
