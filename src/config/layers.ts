import type { ErrorPlace } from '../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { ConfigDocument } from './document.ts';
import { merge, override } from './environment.ts';
import { interpolate, type Interpolation } from './interpolate.ts';
import { type ConfigPath, formatPath } from './path.ts';
import { RECEIVER_KINDS, isOfOtherReceiver } from './alerts-schema.ts';
import { SOURCE_KINDS, isOfOtherKind } from './schema.ts';

/** Where a value of the effective configuration came from. */
export type ValueSource =
  | { from: 'default' }
  | { from: 'file'; place: ErrorPlace; interpolation?: Interpolation }
  | { from: 'profile'; profile: string; place: ErrorPlace; interpolation?: Interpolation }
  | { from: 'environment'; variable: string };

/** The file, with the chosen profile merged over it and the environment's variables put in and merged over it; not validated yet. */
export interface Layers {
  tree: JsonObject;
  problems: { path: ConfigPath; message: string }[];
  place: (path: ConfigPath) => ErrorPlace;
  placeOfKey: (path: ConfigPath) => ErrorPlace;
  source: (path: ConfigPath) => ValueSource;
  /** The variables that the file and the profile name, also if the environment then overrides the value. */
  interpolations: Interpolation[];
  /** Whether a value came from an environment variable and is therefore text. */
  fromVariable: (path: ConfigPath) => boolean;
}

export function layer(document: ConfigDocument, profile: string | null, env: NodeJS.ProcessEnv): Layers {
  const { profiles, ...base } = document.tree;
  const overlay = overlayOf(profiles, profile);
  const merged = withoutSwitchedOff(merge(withoutReplacedKinds(base, overlay), overlay), overlay);
  const { tree, interpolations, problems } = interpolate(merged, env);
  const overridden = override(tree, env);

  /** The variable that set the value, or a mapping around it. */
  const variableOf = (path: ConfigPath): string | undefined =>
    path.map((_, index) => overridden.variables.get(formatPath(path.slice(0, index + 1)))).find(Boolean);
  const written = (path: ConfigPath): ConfigPath => {
    const inProfile = ['profiles', profile ?? '', ...path];
    return profile !== null && document.has(inProfile) ? inProfile : path;
  };
  const place = (path: ConfigPath): ErrorPlace => {
    const variable = variableOf(path);
    return variable === undefined ? document.place(written(path)) : { key: `$${variable}` };
  };

  return {
    tree: { ...overridden.tree, ...(profiles === undefined ? {} : { profiles: withoutVariables(profiles) }) },
    problems,
    place,
    placeOfKey: (path) => (variableOf(path) === undefined ? document.placeOfKey(written(path)) : place(path)),
    source: (path) => {
      const variable = variableOf(path);
      if (variable !== undefined) return { from: 'environment', variable };
      const where = written(path);
      if (!document.has(where)) return { from: 'default' };
      const interpolation = interpolations.get(formatPath(path));
      const found = { place: document.place(where), ...(interpolation && { interpolation }) };
      return where === path || profile === null
        ? { from: 'file', ...found }
        : { from: 'profile', profile, ...found };
    },
    interpolations: [...interpolations.values()],
    fromVariable: (path) =>
      interpolations.has(formatPath(path)) || overridden.variables.has(formatPath(path)),
  };
}

function overlayOf(profiles: Json | undefined, profile: string | null): JsonObject {
  const overlay = profile !== null && isJsonObject(profiles) ? profiles[profile] : undefined;
  return isJsonObject(overlay) ? overlay : {};
}

/** A source or receiver that is of another kind in the profile loses what only its former kind has: `folder`, `mounted`. */
function withoutReplacedKinds(base: JsonObject, overlay: JsonObject): JsonObject {
  const sources = membersOfNewKind(base['sources'], overlay['sources'], SOURCE_KINDS, isOfOtherKind);
  const [alerts, changed] = [base['alerts'], overlay['alerts']];
  if (!isJsonObject(alerts) || !isJsonObject(changed)) return { ...base, ...present({ sources }) };
  const receivers = membersOfNewKind(
    alerts['receivers'],
    changed['receivers'],
    RECEIVER_KINDS,
    isOfOtherReceiver,
  );
  return { ...base, ...present({ sources, alerts: { ...alerts, ...present({ receivers }) } }) };
}

/** The members of a section without what their kind in the profile does not have. */
function membersOfNewKind<Kind extends string>(
  section: Json | undefined,
  changed: Json | undefined,
  kinds: readonly Kind[],
  isOfOther: (key: string, kind: Kind) => boolean,
): Json | undefined {
  if (!isJsonObject(section) || !isJsonObject(changed)) return section;
  const kept = Object.entries(section).map(([name, member]): [string, Json] => {
    const overlay = Object.hasOwn(changed, name) ? changed[name] : undefined;
    if (!isJsonObject(member) || !isJsonObject(overlay)) return [name, member];
    const kind = kinds.find((each) => Object.hasOwn(overlay, each));
    if (kind === undefined) return [name, member];
    return [name, Object.fromEntries(Object.entries(member).filter(([key]) => !isOfOther(key, kind)))];
  });
  return Object.fromEntries(kept);
}

function present(members: Record<string, Json | undefined>): JsonObject {
  return Object.fromEntries(
    Object.entries(members).filter((member): member is [string, Json] => member[1] !== undefined),
  );
}

/** A profile switches alerts off by `alerts: false`, and one receiver by `false` in its place. */
function withoutSwitchedOff(merged: JsonObject, overlay: JsonObject): JsonObject {
  const { alerts: changed } = overlay;
  const { alerts, ...rest } = merged;
  if (changed === false) return rest;
  if (!isJsonObject(changed) || !isJsonObject(alerts) || !isJsonObject(changed['receivers'])) return merged;
  const off = new Set(
    Object.entries(changed['receivers']).flatMap(([name, receiver]) => (receiver === false ? [name] : [])),
  );
  const receivers = isJsonObject(alerts['receivers']) ? Object.entries(alerts['receivers']) : [];
  return {
    ...merged,
    alerts: { ...alerts, receivers: Object.fromEntries(receivers.filter(([name]) => !off.has(name))) },
  };
}

/** Variables that only unused profiles name need not be set, so those profiles are not read. */
function withoutVariables(value: Json): Json {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !namesVariable(member))
      .map(([key, member]) => [key, withoutVariables(member)]),
  );
}

function namesVariable(value: Json): boolean {
  return Array.isArray(value) ? value.some(namesVariable) : typeof value === 'string' && value.includes('${');
}
