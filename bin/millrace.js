#!/usr/bin/env node
// The command `millrace`. Plain JavaScript that any Node since 14 can read: it looks at Node's version
// first and says in words what is wrong, then hands over to the command line itself, which is source
// in the repository and compiled in the package.
import { existsSync } from 'node:fs'
import * as module from 'node:module'
import { dirname } from 'node:path'

const neededVersion = [24, 12]

function nodeIsTooOld(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < neededVersion[0] || (major === neededVersion[0] && minor < neededVersion[1])
}

async function start() {
  // Half of a start is compiling: what was compiled once is kept (NODE_DISABLE_COMPILE_CACHE=1: not).
  const directory = module.enableCompileCache?.().directory
  // Worker threads look for it there.
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= dirname(directory)
  const source = new URL('../src/cli/main.ts', import.meta.url)
  const compiled = new URL('../dist/cli/main.js', import.meta.url)
  const { main } = await import((existsSync(source) ? source : compiled).href)
  return main(process.argv.slice(2))
}

if (nodeIsTooOld(process.versions.node)) {
  process.stderr.write(
    `millrace: needs Node ${neededVersion.join('.')} or newer, but this is Node ${process.versions.node} ` +
      `(${process.execPath}).\n` +
      'Install a newer one from https://nodejs.org, or for this project alone: npm install node@24, ' +
      'then run it as: npx millrace ...\n',
  )
  process.exitCode = 2
} else {
  start().then(
    (exitCode) => {
      process.exitCode = exitCode
    },
    (error) => {
      process.stderr.write(`millrace: ${error instanceof Error ? error.stack : String(error)}\n`)
      process.exitCode = 1
    },
  )
}
