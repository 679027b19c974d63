import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  indexesText,
  nodeName,
  NODES_MAX,
  parseIndex,
  parseIndexes,
  parseProject,
  projectOf,
} from '../../deploy/cluster/names.ts'

describe('the name of a cluster', () => {
  it.each([
    ['/a/shop', 'shop'],
    ['/a/my-shop_2', 'my-shop_2'],
    ['/a/My Shop (2)', 'my-shop-2'],
    ['/a/.hidden', 'hidden'],
    ['/a/Übung', 'ubung'],
    ['/a/商店', 'cluster'],
    ['/a/--', 'cluster'],
    ['/', 'cluster'],
  ])('of the folder %s is %s, and what was mended is said', (folder, name) => {
    const project = projectOf(folder)
    expect(project.name).toBe(name)
    if (folder.endsWith(`/${name}`)) expect(project.mended).toBeUndefined()
    else expect(project.mended).toContain(`${name}_node_1`)
  })

  it('is a label of a host name, whatever the folder is called, and stays as it is when it is one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (folder) => {
        const { name } = projectOf(`/${folder}`)
        expect(nodeName(name, NODES_MAX)).toMatch(/^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/)
        expect(projectOf(`/${name}`)).toEqual({ name })
        expect(parseProject(name)).toEqual({ name })
      }),
    )
  })

  it('that was asked for is refused rather than mended', () => {
    expect(() => parseProject('My Shop')).toThrow('my-shop would be')
  })
})

describe('the index of a node', () => {
  it.each([undefined, '', '0', '-1', '1.5', '1e1', 'one', '101', '99999'])('is not %j', (text) => {
    expect(() => parseIndex(text)).toThrow(/1 to 100/)
  })

  it('may be one of several, or a range', () => {
    expect(parseIndexes('3')).toEqual([3])
    expect(parseIndexes('1-3,7,2')).toEqual([1, 2, 3, 7])
    for (const text of ['3-1', '1-2-3', '1,,2', ',', undefined])
      expect(() => parseIndexes(text)).toThrow(/1 to 100|no range/)
  })

  it('is written as it is read', () => {
    const some = fc.uniqueArray(fc.integer({ min: 1, max: NODES_MAX }), { minLength: 1 })
    fc.assert(
      fc.property(some, (indexes) => {
        expect(parseIndexes(indexesText(indexes))).toEqual(indexes.toSorted((a, b) => a - b))
      }),
    )
  })
})
