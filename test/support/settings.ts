/** What a file of deploy/ tells a node to do, held against the settings that there are. */
import { flagOf, SETTINGS, variableOf } from '../../src/cli/settings.ts'

const VARIABLES: ReadonlySet<string> = new Set([...SETTINGS.map(({ key }) => variableOf(key)), 'RHIZOME_HOME'])

/** Flags among these words that do not exist, or that are given a value and take none, or the reverse. */
export function wrongFlags(words: readonly string[]): readonly string[] {
  return words
    .filter((word) => word.startsWith('-'))
    .filter((word) => {
      const [flag, value] = word.split(/=(.*)/s)
      const setting = SETTINGS.find(({ key }) => flagOf(key) === flag)
      return setting === undefined || (setting.kind === 'switch' && value !== undefined)
    })
}

/** Variables of ours among these names that do not exist. */
export function wrongVariables(names: readonly string[]): readonly string[] {
  return names.filter((name) => name.startsWith('RHIZOME_') && !VARIABLES.has(name))
}
