/**
 * The formats of JSON Schema that are checked, each in linear time: no expression below has a way back. Others are
 * annotations, as 2020-12 has it. RFC 3339, 5321, 1123, 4291, 3986, 4122, 6901.
 */

import { RhizomeError } from '../../errors.ts'
import { parsePattern } from './pattern-parse.ts'

export const FORMATS: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['date', isDate],
  ['time', isTime],
  ['date-time', isDateTime],
  ['duration', isDuration],
  ['email', isEmail],
  ['hostname', isHostname],
  ['ipv4', isIpv4],
  ['ipv6', isIpv6],
  ['uri', (text) => isUriReference(text) && /^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)],
  ['uri-reference', isUriReference],
  ['uuid', (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)],
  ['json-pointer', isJsonPointer],
  ['relative-json-pointer', isRelativeJsonPointer],
  ['regex', isRegex],
])

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function isDate(text: string): boolean {
  const [, year, month, day] = text.match(/^(\d{4})-(\d{2})-(\d{2})$/)?.map(Number) ?? []
  if (year === undefined || month === undefined || day === undefined) return false
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day >= 1 && day <= (MONTH_DAYS[month - 1] ?? 0) + (month === 2 && isLeap ? 1 : 0)
}

function isTime(text: string): boolean {
  const parts = text.match(/^(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[zZ]|([+-])(\d{2}):(\d{2}))$/)
  if (parts === null) return false
  const [hour = 0, minute = 0, second = 0] = parts.slice(1, 4).map(Number)
  const sign = parts[4] === '-' ? -1 : 1
  const [offsetHour = 0, offsetMinute = 0] = [parts[5] ?? 0, parts[6] ?? 0].map(Number)
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return false
  if (second < 60) return true
  // A leap second is the last one of a day in UTC.
  const minutes = hour * 60 + minute - sign * (offsetHour * 60 + offsetMinute)
  return (minutes + 1440) % 1440 === 1439
}

function isDateTime(text: string): boolean {
  return /^[tT]$/.test(text[10] ?? '') && isDate(text.slice(0, 10)) && isTime(text.slice(11))
}

function isDuration(text: string): boolean {
  if (/^P\d+W$/.test(text)) return true
  const [, date = '', time] = text.match(/^P([^T]*)(?:T(.+))?$/) ?? []
  // Units may be left out at either end, but not between two.
  const isDatePart = /^(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)?$/.test(date)
  const isTimePart = time === undefined || /^(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S)$/.test(time)
  return text.startsWith('P') && isDatePart && isTimePart && (date !== '' || time !== undefined)
}

function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@')
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)]
  if (at < 1 || local.length > 64) return false
  const isQuoted = /^"(?:[ !#-[\]-~]|\\[ -~])*"$/.test(local)
  const isAtoms = local.split('.').every((atom) => /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+$/.test(atom))
  if (!isQuoted && !isAtoms) return false
  if (!domain.startsWith('[')) return isHostname(domain)
  const literal = domain.endsWith(']') ? domain.slice(1, -1) : ''
  return isIpv4(literal) || (/^IPv6:/i.test(literal) && isIpv6(literal.slice(5)))
}

function isHostname(text: string): boolean {
  const labels = text.split('.')
  return text.length <= 253 && labels.every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label))
}

function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
}

function groupsOf(half: string): readonly string[] {
  return half === '' ? [] : half.split(':')
}

function isIpv6(text: string): boolean {
  if (text.length > 45) return false
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap(groupsOf)
  const hasIpv4 = isIpv4(groups.at(-1) ?? '') && groupsOf(halves.at(-1) ?? '').length > 0
  const isHex = (hasIpv4 ? groups.slice(0, -1) : groups).every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))
  const count = groups.length + (hasIpv4 ? 1 : 0)
  return isHex && (halves.length === 2 ? count <= 7 : count === 8)
}

function isUriReference(text: string): boolean {
  if (/[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]/.test(text) || /%(?![0-9A-Fa-f]{2})/.test(text)) return false
  const [beforeFragment = '', ...fragments] = text.split('#')
  if (fragments.length > 1) return false
  const [, scheme, rest = ''] = beforeFragment.match(/^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/) ?? [
    undefined,
    undefined,
    beforeFragment,
  ]
  const [beforeQuery = ''] = rest.split('?')
  // Without a scheme, a colon in the first part of the path would make one.
  if (scheme === undefined && (beforeQuery.split('/')[0] ?? '').includes(':')) return false
  const authority = beforeQuery.startsWith('//') ? (beforeQuery.slice(2).split('/')[0] ?? '') : ''
  const path = beforeQuery.startsWith('//') ? beforeQuery.slice(2 + authority.length) : beforeQuery
  return (
    isAuthority(authority) && ![path, rest.slice(beforeQuery.length), ...fragments].some((part) => /[[\]]/.test(part))
  )
}

function isAuthority(text: string): boolean {
  const host = text.slice(text.lastIndexOf('@') + 1)
  if (/[[\]@]/.test(text.slice(0, Math.max(0, text.length - host.length - 1)))) return false
  const [, literal, port = ''] = host.match(/^\[([^\]]*)\](.*)$/) ?? []
  if (literal !== undefined) return /^(?::\d*)?$/.test(port) && (isIpv6(literal) || /^[vV][0-9A-Fa-f]+\./.test(literal))
  return /^[^:[\]]*(?::\d*)?$/.test(host)
}

function isJsonPointer(text: string): boolean {
  return (text === '' || text.startsWith('/')) && !/~(?![01])/.test(text)
}

function isRelativeJsonPointer(text: string): boolean {
  const [, rest] = text.match(/^(?:0|[1-9]\d*)(.*)$/s) ?? []
  return rest !== undefined && (rest === '#' || isJsonPointer(rest))
}

/** A pattern that could be used here. */
function isRegex(text: string): boolean {
  try {
    parsePattern(text)
    return true
  } catch (error) {
    if (error instanceof RhizomeError) return false
    throw error
  }
}
