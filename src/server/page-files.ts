/** The page's files, as `npm run build:web` makes them; nothing outside their folder is ever read. */
import { createHash } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import type { Context } from 'hono'
import { Problem, problemResponse } from './problem.ts'

/** Beside `src` and beside the packed `dist`. */
export const pageFolder = path.join(import.meta.dirname, '..', '..', 'web', 'dist')

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}

const notBuilt = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Millrace</title></head>
<body><h1>Millrace runs, its page is not built</h1>
<p>Build it with <code>npm run build:web</code>, then reload. Meanwhile there are
<a href="/api/state">/api/state</a>, <a href="/metrics">/metrics</a> and
<a href="/openapi.json">/openapi.json</a>.</p></body></html>
`

/** Answers GET and HEAD of a file of the page; `/` is its index.html. */
export async function pageFile(context: Context, folder: string): Promise<Response> {
  const { path: asked } = context.req
  const file = await fileOf(folder, asked === '/' ? '/index.html' : asked)
  if (file === undefined) {
    if (asked === '/') return html(notBuilt)
    return problemResponse(new Problem(404, 'NOT_FOUND', 'there is nothing here'))
  }
  const type = types[path.extname(asked === '/' ? '.html' : asked).toLowerCase()]
  const tag = `"${createHash('sha256').update(file).digest('base64url').slice(0, 22)}"`
  // Names of assets have a hash of what is in them.
  const isAsset = asked.startsWith('/assets/')
  const headers = {
    'Content-Type': asked === '/' ? types['.html']! : (type ?? 'application/octet-stream'),
    'Cache-Control': isAsset ? 'public, max-age=31536000, immutable' : 'no-cache',
    ETag: tag,
  }
  if (context.req.header('if-none-match') === tag)
    return new Response(null, { status: 304, headers })
  return new Response(new Uint8Array(file), { headers })
}

const html = (text: string) =>
  new Response(text, { headers: { 'Content-Type': types['.html']!, 'Cache-Control': 'no-store' } })

/** Undefined: there is no such file in the folder. Links that lead out of it are none either. */
async function fileOf(folder: string, asked: string): Promise<Buffer | undefined> {
  let name: string
  try {
    name = decodeURIComponent(asked)
  } catch {
    return undefined
  }
  if (name.includes('\0') || name.split(/[/\\]/).some((part) => part.startsWith('.')))
    return undefined
  try {
    const root = await realpath(folder)
    const file = await realpath(path.join(root, name))
    if (!file.startsWith(root + path.sep)) return undefined
    return await readFile(file)
  } catch {
    return undefined
  }
}
