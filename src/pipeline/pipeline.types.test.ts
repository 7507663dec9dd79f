import { z } from 'zod'
import { classifier } from './model-use.ts'
import { pipeline } from './pipeline.ts'
import { topic } from './topic.ts'

const Post = z.object({
  author: z.string(),
  at: z.coerce.date(),
  text: z.string(),
  language: z.string().default('en'),
})
const posts = topic('posts', { schema: Post, key: (p) => p.author, time: (p) => p.at })
const scored = topic<{ author: string; sentiment: { label: 'a' | 'b'; score: number } }>('scored')
export const s = pipeline('x')
  .from(posts)
  .filter('en', (p) => p.language === 'en')
  .predict('sentiment', classifier('m', { labels: ['a', 'b'] }), { input: (p) => p.text })
export const ok = s.to(scored)
export const t = s.map('m', (p) => p.at.getTime())
// @ts-expect-error
export const bad1 = s.map('m2', (p) => p.att)
// @ts-expect-error
export const bad2 = s.predict('text', classifier('m', { labels: ['a', 'b'] }), {
  input: (p) => p.text,
})
// @ts-expect-error
export const bad3 = s.map('q', () => ({ nope: 1 })).to(scored)
export const joined = s
  .join('truth', topic<{ label: string }>('labels'))
  .map('z', (v) => v.truth.label + v.author)
export const dated = s
  .join('again', posts)
  .map('dates', (v) => v.at.slice(0, 4) + v.again.at.getFullYear())
// @ts-expect-error
export const bad4 = s.join('truth', posts).map('left', (v) => v.at.getTime())
