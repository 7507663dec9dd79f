/** `millrace init NAME`: a small project that runs at once, to start from. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { codeOf, fail, messageOf } from '../core/errors.ts'
import { initFiles } from './init-files.ts'
import { type Output, processOutput } from './output.ts'

export function initCommand(output: () => Output = processOutput): Command {
  return new Command('init')
    .description('make a small project that runs at once')
    .argument('<name>', 'the folder to make, which gives the project its name')
    .option('--json', 'print one line of JSON', false)
    .addHelpText(
      'after',
      '\nExample:\n  millrace init my-app && cd my-app && npm install && npm start',
    )
    .action(async (name: string, { json }: { json: boolean }) => {
      const { folder, files } = makeProject(name)
      const out = output()
      if (json) await out.print(JSON.stringify({ folder, files }))
      out.say(`made ${files.join(', ')} in ${relative(process.cwd(), folder) || '.'}; next:`)
      const steps = [`cd ${relative(process.cwd(), folder) || '.'}`, 'npm install', 'npm start']
      for (const step of folder === process.cwd() ? steps.slice(1) : steps) out.say(`  ${step}`)
    })
}

/** Throws `FOLDER_UNUSABLE` where something is there already. */
function makeProject(name: string): { folder: string; files: string[] } {
  const folder = resolve(name)
  const projectName = basename(folder).toLowerCase()
  if (!/^[a-z0-9][a-z0-9._-]{0,200}$/.test(projectName)) {
    const rule = "npm takes letters, digits, '.', '_' and '-'; choose another name"
    throw fail(
      'NAME_INVALID',
      `init: '${basename(folder)}' cannot be the name of a package: ${rule}`,
    )
  }
  try {
    if (existsSync(folder) && readdirSync(folder).length > 0) {
      throw fail('FOLDER_UNUSABLE', `init: ${folder} is not empty; choose another name`)
    }
    mkdirSync(folder, { recursive: true })
  } catch (cause) {
    if (codeOf(cause) !== undefined) throw cause
    throw fail('FOLDER_UNUSABLE', `init: ${folder}: ${messageOf(cause)}`, { cause })
  }
  const files = initFiles(projectName, dependencies(folder))
  for (const [file, text] of Object.entries(files)) {
    writeFileSync(join(folder, file), text, { flag: 'wx' })
  }
  return { folder, files: Object.keys(files) }
}

/** The versions of this package; in a clone of the repository the clone itself. */
function dependencies(folder: string): { millrace: string; zod: string } {
  const own = fileURLToPath(new URL('../../package.json', import.meta.url))
  const root = dirname(own)
  const manifest = JSON.parse(readFileSync(own, 'utf8')) as {
    readonly version: string
    readonly dependencies: { readonly zod: string }
  }
  const isClone = existsSync(join(root, 'src', 'cli', 'main.ts'))
  const place = relative(folder, root).replaceAll('\\', '/')
  return {
    millrace: isClone ? `file:${place}` : manifest.version,
    zod: manifest.dependencies.zod,
  }
}
