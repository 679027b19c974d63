/**
 * The manifests of deploy/kubernetes: each is what the schemas of Kubernetes say it may be, and each name in one that means
 * something in another is there. No cluster is needed. What they make nodes do is held against the settings that there are.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { Service } from 'kubernetes-models/v1/Service'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { DEFAULT_PORT } from '../../src/node/options.ts'
import { openApi } from '../http/api.ts'
import { wrongFlags, wrongVariables } from '../support/settings.ts'

const FOLDER = fileURLToPath(new URL('../../deploy/kubernetes/', import.meta.url))
const PAGE = readFileSync(join(FOLDER, '..', 'README.md'), 'utf8')

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
type Manifest = { readonly kind: string; readonly metadata: { readonly name: string } } & {
  readonly [key: string]: Json
}

const MODELS = { StatefulSet, NetworkPolicy, PodDisruptionBudget, Service } as const

const manifests = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .flatMap((name) => {
    const documents = parseAllDocuments(readFileSync(join(FOLDER, name), 'utf8'), { uniqueKeys: true, version: '1.1' })
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([])
    return documents.map((document) => document.toJS() as Manifest)
  })

/** Why Kubernetes would refuse it; undefined when it would not. */
function refusal(manifest: Manifest): string | undefined {
  const Model = MODELS[manifest.kind as keyof typeof MODELS]
  try {
    new Model(manifest).validate()
    return undefined
  } catch (error) {
    return String(error)
  }
}

const isObject = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every manifest that has nonsense in the place of one value of this one, with the path of that value. */
function* spoilt(
  value: Json,
  path: readonly string[] = [],
): Generator<readonly [path: string, spoil: (nonsense: Json) => Json]> {
  const entries = Array.isArray(value)
    ? value.map((each, index) => [String(index), each] as const)
    : isObject(value)
      ? Object.entries(value)
      : []
  for (const [key, inner] of entries as readonly (readonly [string, Json])[]) {
    const put = (changed: Json): Json =>
      Array.isArray(value)
        ? value.map((each: Json, index) => (String(index) === key ? changed : each))
        : { ...(value as object), [key]: changed }
    yield [[...path, key].join('.'), put]
    for (const [at, spoil] of spoilt(inner, [...path, key])) yield [at, (nonsense) => put(spoil(nonsense))]
  }
}

const the = <Kind extends keyof typeof MODELS>(kind: Kind, name = 'rhizome') => {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name)
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`)
  return found as unknown as InstanceType<(typeof MODELS)[Kind]>
}

describe('each manifest', () => {
  it('is of a kind that is checked here, and there are all of them', () => {
    expect(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted()).toEqual([
      'NetworkPolicy rhizome',
      'PodDisruptionBudget rhizome',
      'Service rhizome',
      'Service rhizome-peers',
      'StatefulSet rhizome',
    ])
  })

  it.each(manifests)('$kind is as the schema says', (manifest) => {
    expect(refusal(manifest)).toBeUndefined()
  })

  // The schemas pass over keys that they do not know, so a slip would be silent: nonsense there is passed over, too.
  it.each(manifests)('$kind has no key that the schema does not know', (manifest) => {
    const unknown = [...spoilt(manifest)]
      .filter(([path]) => path !== 'kind')
      .filter(([, spoil]) => {
        const nonsenses: readonly Json[] = [{ no: [{}] }, [[]], 'non sense', -0.5]
        return nonsenses.every((nonsense) => refusal(spoil(nonsense) as Manifest) === undefined)
      })
      .map(([path]) => path)
    expect(unknown).toEqual([])
  })

  it('is refused with a slip', () => {
    const budget = the('PodDisruptionBudget') as unknown as Manifest
    const slip = { ...budget, spec: { ...(budget['spec'] as object), selektor: {} } } as Manifest
    expect(
      [...spoilt(slip)].some(
        ([path, spoil]) => path === 'spec.selektor' && refusal(spoil('x') as Manifest) === undefined,
      ),
    ).toBe(true)
    expect(refusal({ ...budget, spec: { maxUnavailable: [] } })).toContain('maxUnavailable')
  })
})

describe('together they', () => {
  const set = the('StatefulSet').spec
  if (set === undefined) throw new Error('the set has a spec')
  const pod = set.template.spec
  const [container] = pod?.containers ?? []
  if (pod === undefined || container === undefined) throw new Error('the pod has a container')
  const labels = set.template.metadata?.labels ?? {}
  const ports = new Map(container.ports?.map(({ name, containerPort }) => [name, containerPort]))
  const args = container.args ?? []
  const argument = (flag: string) => args.find((each) => each.startsWith(`--${flag}=`))?.split('=')[1]

  it('select the pods that there are', () => {
    const selectors = [
      set.selector.matchLabels,
      the('Service').spec?.selector,
      the('Service', 'rhizome-peers').spec?.selector,
      the('PodDisruptionBudget').spec?.selector?.matchLabels,
      the('NetworkPolicy').spec?.podSelector.matchLabels,
      pod.topologySpreadConstraints?.[0]?.labelSelector?.matchLabels,
    ]
    for (const selector of selectors) {
      expect(selector).toBeDefined()
      expect(labels).toMatchObject(selector ?? {})
    }
    const policy = the('NetworkPolicy').spec
    expect(policy?.ingress?.[0]?.from?.[0]?.podSelector?.matchLabels).toEqual(policy?.podSelector.matchLabels)
    expect(policy?.egress?.[0]?.to?.[0]?.podSelector?.matchLabels).toEqual(policy?.podSelector.matchLabels)
  })

  it('name ports that there are, on which the node listens', () => {
    expect(ports).toEqual(
      new Map([
        ['peers', Number(argument('listen'))],
        ['http', Number(argument('http-port'))],
      ]),
    )
    const named = [
      ...['rhizome', 'rhizome-peers'].flatMap(
        (name) => the('Service', name).spec?.ports?.map(({ targetPort }) => targetPort) ?? [],
      ),
      ...[container.startupProbe, container.readinessProbe, container.livenessProbe].map(
        (probe) => probe?.httpGet?.port,
      ),
      ...(the('NetworkPolicy').spec?.ingress ?? []).flatMap((rule) => rule.ports?.map(({ port }) => port) ?? []),
    ]
    expect(named).toHaveLength(7)
    for (const name of named) expect(ports.has(String(name))).toBe(true)
    // A seed without a port means this one, and the records of a headless service know no other.
    expect(the('Service', 'rhizome-peers').spec?.ports?.[0]?.port).toBe(DEFAULT_PORT)
    expect(ports.get('peers')).toBe(DEFAULT_PORT)
  })

  it('find each other by the headless service, ready or not', () => {
    const peers = the('Service', 'rhizome-peers').spec
    expect(peers).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true })
    expect(set.serviceName).toBe('rhizome-peers')
    expect(argument('seed')).toBe('rhizome-peers')
    expect(args).toContain('--no-mdns')
  })

  it('use flags and variables that there are', () => {
    expect(wrongFlags(args)).toEqual([])
    expect(wrongVariables((container.env ?? []).map(({ name }) => name))).toEqual([])
    // Or Kubernetes makes RHIZOME_SERVICE_HOST and the like for the service, and the node refuses what it does not know.
    expect(pod.enableServiceLinks).toBe(false)
    const given = new Set(container.env?.map(({ name }) => name))
    for (const [, name = ''] of args.join(' ').matchAll(/\$\((\w+)\)/g)) expect(given).toContain(name)
  })

  it('keep secrets in files that are mounted, and the page says how they are made', () => {
    const mounts = new Map(container.volumeMounts?.map(({ name, mountPath }) => [name, mountPath]))
    const volumes = [
      ...(pod.volumes ?? []).map(({ name }) => name),
      ...(set.volumeClaimTemplates ?? []).map(({ metadata }) => metadata?.name),
    ]
    expect(new Set(mounts.keys())).toEqual(new Set(volumes))
    for (const flag of ['secret', 'http-token']) {
      expect(argument(flag)).toBe(`${mounts.get('secret')}/${flag}`)
      expect(PAGE).toContain(`--from-literal=${flag}=`)
    }
    expect(pod.volumes?.find(({ name }) => name === 'secret')?.secret).toMatchObject({
      secretName: 'rhizome',
      defaultMode: 0o440,
    })
    expect(PAGE).toContain('kubectl create secret generic rhizome ')
  })

  it('run with no more rights than they need', () => {
    expect(pod).toMatchObject({ automountServiceAccountToken: false })
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1_000,
      fsGroup: 1_000,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.resources?.limits).toMatchObject({ memory: expect.any(String) as string })
    const dockerfile = readFileSync(join(FOLDER, '..', 'Dockerfile'), 'utf8')
    expect(dockerfile).toContain('USER 1000:1000')
    expect(dockerfile).toContain(
      `RHIZOME_DATA=${container.volumeMounts?.find(({ name }) => name === 'data')?.mountPath}`,
    )
  })

  it('ask for routes that answer without a token', async () => {
    await using api = await openApi({ host: '0.0.0.0', token: () => false })
    const paths = [container.startupProbe, container.readinessProbe, container.livenessProbe].map(
      (probe) => probe?.httpGet?.path ?? '',
    )
    for (const path of paths) expect(await api.ask('GET', path)).toMatchObject({ status: 200 })
    expect(await api.ask('GET', '/api/status')).toMatchObject({ status: 401 })
  })

  it('answer to the names of the service', () => {
    const names = argument('allow-host')?.split(',')
    expect(names).toEqual(
      ['', '.$(POD_NAMESPACE)', '.$(POD_NAMESPACE).svc', '.$(POD_NAMESPACE).svc.cluster.local'].map(
        (end) => `rhizome${end}`,
      ),
    )
  })
})
