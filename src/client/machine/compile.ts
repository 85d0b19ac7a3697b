import type { Millis } from '../../core/clock.ts';
import type {
  CalendarConfig,
  JobConfig,
  ModelConfig,
  NeedConfig,
  ServiceConfig,
  SingleNeedConfig,
} from '../../config/schema.ts';
import {
  type ArgumentTemplate,
  type Calendar,
  type TemplateProblem,
  compileArgument,
  createCalendar,
} from '../../windows/index.ts';
import type {
  AlertsDefinition,
  Definition,
  JobDefinition,
  Need,
  NeedGroup,
  ReloadListener,
  ServiceDefinition,
  SourceDefinition,
  Timing,
} from './definition.ts';
import type { ConditionCompiler } from './condition.ts';
import { Listeners } from './listeners.ts';
import type { NeedContext } from './compiled-need.ts';
import { compileModels } from './compile-models.ts';
import { compileNeed } from './needs.ts';
import { compileTiming } from './compile-timing.ts';
import { compileOutputs } from './compile-outputs.ts';
import { type Circle, findCircles } from './circles.ts';

export interface CompileInput {
  hippo: string;
  /** `<prefix>/<name>` of the hippo. */
  identity: string;
  jobs: Readonly<Record<string, JobConfig>>;
  sources?: readonly SourceDefinition[];
  services?: Readonly<Record<string, ServiceConfig>>;
  models?: Readonly<Record<string, ModelConfig>>;
  /** The location of a model as a URL; left out: as it is. */
  locate?: (location: string) => string;
  /** Of events that a service announces, or a job produces, where it does not say them itself. */
  events?: Pick<ServiceDefinition, 'method' | 'dialect'>;
  calendar: CalendarConfig;
  /** Left out: nothing is alerted. */
  alerts?: AlertsDefinition | undefined;
  /** Left out: hippo.yaml has no conditions. See {@link hasConditions}. */
  compileCondition?: ConditionCompiler | undefined;
  /** What the file of `calendar.holidays` says: `2017-12-25`, … */
  holidays?: readonly string[];
  /** `client.keep`, milliseconds; left out: 62 days. */
  keep?: Millis;
  limits?: Partial<NeedLimits>;
}

/** See docs/decisions/inputs-of-large-runs.md. */
export interface NeedLimits {
  /** The inputs of a run of a job with more needs have records of their own. */
  inline: number;
  /** A run of a job with more needs fails. */
  most: number;
}

const NEED_LIMITS: NeedLimits = { inline: 32, most: 10_000 };

type Path = (string | number)[];

export interface CompileProblem extends TemplateProblem {
  /** Inside hippo.yaml, e.g. `['jobs', 'load', 'needs', 0, 'partition', 'yyyymm']`. */
  path: Path;
}

export type Compiled = { ok: true; definition: Definition } | { ok: false; problems: CompileProblem[] };

const DEFAULT_KEEP = 62 * 86_400_000;

/** Checks what the schema cannot (templates, needs that name no run) and prepares the jobs. */
export function compileJobs(input: CompileInput): Compiled {
  const { compileCondition } = input;
  const { timezone, day_starts: dayStarts, week_starts: weekStarts } = input.calendar;
  const { business_days: businessDays } = input.calendar;
  const { holidays = [] } = input;
  const calendar = createCalendar(timezone, dayStarts, { weekStarts, businessDays, holidays });
  const problems: CompileProblem[] = [];
  const { inline, most } = { ...NEED_LIMITS, ...input.limits };
  const places = new Map<Need, Path>();
  const jobs = Object.entries(input.jobs).map(([name, config]): JobDefinition => {
    const job = new JobCompiler(name, config, { calendar, compileCondition }, { problems, places }).compile(
      input.events ?? EVENT_DEFAULTS,
    );
    return { ...job, isLarge: job.needs.length > inline };
  });
  const services = compileServices(input, calendar, problems);
  const models = compileModels(
    input.models ?? {},
    { jobs: input.jobs, services: input.services ?? {}, locate: input.locate ?? ((location) => location) },
    problems,
  );
  // Of jobs that cannot be compiled nothing can be said.
  const circles = problems.length > 0 ? [] : findCircles({ hippo: input.hippo, calendar, jobs });
  problems.push(...circles.map((circle) => circleProblem(circle, places)));
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    definition: {
      hippo: input.hippo,
      identity: input.identity,
      calendar,
      keep: input.keep ?? DEFAULT_KEEP,
      jobs: new Map(jobs.map((job) => [job.name, job])),
      sources: new Map((input.sources ?? []).map((source) => [source.name, source])),
      services: new Map(services.map(({ service }) => [service.name, service])),
      models: new Map(models.map((model) => [model.name, model])),
      builders: new Map(models.map(({ name, builder }) => [builder, name])),
      alerts: input.alerts,
      mostNeeds: most,
      listeners: listenersOf(jobs),
      reloads: Map.groupBy(
        services.flatMap(({ reloads }) => reloads),
        ({ need }) => need.subject,
      ),
    },
  };
}

function circleProblem({ job, need, text }: Circle, places: ReadonlyMap<Need, Path>): CompileProblem {
  return {
    path: places.get(need) ?? ['jobs', job, 'needs'],
    message: `runs of one window wait for each other, or start each other without end: ${text}`,
    allowed: "a need of another window, e.g. {{ window | minus: '1 day' | date: '%F' }}",
  };
}

const EVENT_DEFAULTS = { method: 'partition', dialect: 'pairs' } as const;

function compileServices(
  { services = {}, events: defaults = EVENT_DEFAULTS, compileCondition }: CompileInput,
  calendar: Calendar,
  problems: CompileProblem[],
): { service: ServiceDefinition; reloads: ReloadListener[] }[] {
  return Object.entries(services).map(([name, { events, reload_on: reloadOn = [] }]) => {
    const service: ServiceDefinition = {
      name,
      method: events?.method ?? defaults.method,
      dialect: events?.dialect ?? defaults.dialect,
    };
    const reloads = reloadOn.flatMap((config, index): ReloadListener[] => {
      const path = ['services', name, 'reload_on', index];
      if ('key' in config && config.key !== undefined) {
        problems.push({
          path: [...path, 'key'],
          message: 'a service reloads on every run of a job, whatever its key',
          allowed: '`job` alone',
        });
        return [];
      }
      const compiled = compileNeed(config, { calendar, unit: null, names: {}, compileCondition });
      if (compiled.ok) return [{ service, need: compiled.need }];
      problems.push(
        ...compiled.problems.map(({ path: inner, ...problem }) => ({
          path: [...path, ...inner],
          ...problem,
        })),
      );
      return [];
    });
    return { service, reloads };
  });
}

function listenersOf(jobs: readonly JobDefinition[]): Map<string, Listeners> {
  const all = jobs.flatMap((job) => job.needs.map((need) => ({ job, need })));
  const bySubject = Map.groupBy(all, ({ need }) => need.subject);
  return new Map([...bySubject].map(([subject, those]) => [subject, new Listeners(those)]));
}

/** Compiles one job; its problems go to the list, so that all problems are reported at once. */
class JobCompiler {
  readonly #name: string;
  readonly #config: JobConfig;
  readonly #context: Pick<NeedContext, 'calendar' | 'compileCondition'>;
  readonly #problems: CompileProblem[];
  /** Where each need stands in hippo.yaml. */
  readonly #places: Map<Need, Path>;
  readonly #ids = new Map<string, number>();

  constructor(
    name: string,
    config: JobConfig,
    context: Pick<NeedContext, 'calendar' | 'compileCondition'>,
    { problems, places }: { problems: CompileProblem[]; places: Map<Need, Path> },
  ) {
    this.#name = name;
    this.#config = config;
    this.#context = context;
    this.#problems = problems;
    this.#places = places;
  }

  compile(events: NonNullable<CompileInput['events']>): Omit<JobDefinition, 'isLarge'> {
    const { needs, run, args, env, every, produces = [], at, catch_up: catchUp, ...policy } = this.#config;
    const before = this.#problems.length;
    const groups = needs.map((need, index) => this.#group(need, ['needs', index]));
    const members = groups.flatMap((group) => group.members);
    const timing = this.#timing(at, catchUp);
    if (
      needs.length > 0 &&
      this.#problems.length === before &&
      !members.some(({ identifiesRun }) => identifiesRun)
    ) {
      const one = this.#unit === null ? every : this.#context.calendar.units.runnable(this.#unit).window.noun;
      this.#problem(['needs'], {
        message: `no need names the window: all of them stay the same for more than one ${one}`,
        allowed: `at least one need whose partition or key is another one each ${one}`,
      });
    }
    this.#checkMessages(groups);
    const { outputs, problems } = compileOutputs(produces, {
      windowed: this.#unit !== null,
      defaults: events,
    });
    for (const { path, ...problem } of problems) this.#problem(['produces', ...path], problem);
    if (this.#unit === null && typeof policy.deadline === 'string')
      this.#problem(['deadline'], {
        message: 'a job with "every: event" has no window after whose end a time of day could come',
        allowed: 'a duration such as 6h, which counts from when the run is opened',
      });
    return {
      name: this.#name,
      unit: this.#unit,
      ...timing,
      groups,
      needs: members,
      least: groups.reduce((sum, { atLeast }) => sum + atLeast, 0),
      program: typeof run === 'string' ? [run] : run,
      args: args.flatMap((source, index) => this.#argument(source, ['args', index])),
      env: Object.entries(env).flatMap(([name, source]) =>
        this.#argument(source, ['env', name]).map((template) => [name, template] as const),
      ),
      outputs,
      policy,
    };
  }

  get #unit(): JobDefinition['unit'] {
    return this.#config.every === 'event' ? null : this.#config.every;
  }

  #group(config: NeedConfig, path: Path): NeedGroup {
    if ('any_of' in config) return { atLeast: 1, members: this.#members(config.any_of, [...path, 'any_of']) };
    if ('each' in config) return this.#each(config, path);
    if (!('of' in config)) return { atLeast: 1, members: this.#single(config, path, {}) };
    this.#checkCount(config.at_least, config.of.length, path);
    return { atLeast: config.at_least, members: this.#members(config.of, [...path, 'of']) };
  }

  #each(config: Extract<NeedConfig, { each: unknown }>, path: Path): NeedGroup {
    const choices = combinations(Object.entries(config.each));
    const atLeast = config.at_least ?? choices.length;
    this.#checkCount(atLeast, choices.length, path);
    const need = { table: config.table, partition: config.partition, when: config.when };
    const before = this.#problems.length;
    const members = choices.flatMap((names) =>
      // A problem with one value is a problem with all, so it is reported once.
      this.#problems.length > before ? [] : this.#single(need, path, names),
    );
    return { atLeast, members };
  }

  #members(configs: readonly SingleNeedConfig[], path: Path): Need[] {
    return configs.flatMap((config, index) => this.#single(config, [...path, index], {}));
  }

  #single(config: SingleNeedConfig, path: Path, names: Readonly<Record<string, string>>): Need[] {
    const compiled = compileNeed(config, { ...this.#context, unit: this.#unit, names });
    if (compiled.ok) {
      const need = { ...compiled.need, id: this.#unique(compiled.need.id) };
      this.#places.set(need, ['jobs', this.#name, ...path]);
      return [need];
    }
    for (const { path: inner, ...problem } of compiled.problems) this.#problem([...path, ...inner], problem);
    return [];
  }

  /** The second need of the same table (last month's partition besides this month's) is `btd.party#2`. */
  #unique(id: string): string {
    const count = (this.#ids.get(id) ?? 0) + 1;
    this.#ids.set(id, count);
    return count === 1 ? id : `${id}#${count}`;
  }

  #timing(
    at: string | undefined,
    catchUp: JobConfig['catch_up'],
  ): { timing: Timing } | Record<string, never> {
    const unit = this.#unit;
    if (at === undefined) {
      if (catchUp !== undefined)
        this.#problem(['catch_up'], {
          message: 'only a job with `at` misses windows',
          allowed: '`at` beside it',
        });
      return {};
    }
    if (this.#config.needs.length > 0 || unit === null) {
      const message =
        unit === null
          ? 'with "every: event" a job has no windows that end'
          : 'a job with needs starts when they are complete';
      this.#problem(['at'], { message, allowed: 'a job without needs, with windows such as "every: day"' });
      return {};
    }
    const compiled = compileTiming(at, { unit, calendar: this.#context.calendar });
    if (compiled.ok) return { timing: { unit, catchUp: catchUp ?? 'newest', dueAt: compiled.value } };
    const { message, allowed } = compiled;
    this.#problem(['at'], { message, ...(allowed === undefined ? {} : { allowed }) });
    return {};
  }

  /** With `every: event` no other need has the key of a message's run, so that run would never be complete. */
  #checkMessages(groups: readonly NeedGroup[]): void {
    if (this.#unit !== null || (groups.length <= 1 && groups.every(({ atLeast }) => atLeast <= 1))) return;
    const at = groups.findIndex(({ members }) => members.some(({ dates }) => dates === 'timestamp'));
    if (at === -1) return;
    this.#problem(['needs', at], {
      message: 'with "every: event" each message is a run of its own, which no other need can complete',
      allowed: 'this need alone, `any_of` of such needs, or a job with windows, such as "every: day"',
    });
  }

  #checkCount(atLeast: number, size: number, path: Path): void {
    if (atLeast <= size) return;
    this.#problem([...path, 'at_least'], {
      message: `at_least is ${atLeast}, but there are only ${size}`,
      allowed: `1 to ${size}`,
    });
  }

  #argument(source: string, path: Path): ArgumentTemplate[] {
    const compiled = compileArgument(source, { windowed: this.#unit !== null });
    if (compiled.ok) return [compiled.value];
    const { message, allowed } = compiled;
    this.#problem(path, { message, ...(allowed === undefined ? {} : { allowed }) });
    return [];
  }

  #problem(path: Path, problem: TemplateProblem): void {
    this.#problems.push({ path: ['jobs', this.#name, ...path], ...problem });
  }
}

/** Whether the needs have conditions, so that {@link CompileInput.compileCondition} is needed. */
export function hasConditions({ jobs, services = {} }: Pick<CompileInput, 'jobs' | 'services'>): boolean {
  return [
    ...Object.values(jobs).flatMap(({ needs }) => needs),
    ...Object.values(services).flatMap(({ reload_on: reloadOn = [] }) => reloadOn),
  ].some(isConditional);
}

function isConditional(need: NeedConfig): boolean {
  if ('any_of' in need) return need.any_of.some(isConditional);
  if ('of' in need) return need.of.some(isConditional);
  return ('topic' in need ? need.where : need.when) !== undefined;
}

/** `[['region', ['us', 'eu']]]` → `{ region: 'us' }`, `{ region: 'eu' }`; several names: every combination. */
export function combinations(
  lists: readonly (readonly [string, readonly string[]])[],
): Record<string, string>[] {
  return lists.reduce<Record<string, string>[]>(
    (found, [name, values]) => found.flatMap((names) => values.map((value) => ({ ...names, [name]: value }))),
    [{}],
  );
}
