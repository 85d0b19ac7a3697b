/** The models of hippo.yaml: what the schema cannot check, and what the machine needs to know of each. */
import type { JobConfig, ModelConfig, NeedConfig, ServiceConfig } from '../../config/schema.ts';
import type { TemplateProblem } from '../../windows/index.ts';
import type { ModelDefinition } from './definition.ts';

/** A problem and where it stands in hippo.yaml. */
interface ModelProblem extends TemplateProblem {
  path: (string | number)[];
}

interface Surroundings {
  jobs: Readonly<Record<string, JobConfig>>;
  services: Readonly<Record<string, ServiceConfig>>;
  /** The location of hippo.yaml as a URL. */
  locate: (location: string) => string;
}

export function compileModels(
  models: Readonly<Record<string, ModelConfig>>,
  { jobs, services, locate }: Surroundings,
  problems: ModelProblem[],
): ModelDefinition[] {
  const builders = new Map<string, string>();
  return Object.entries(models).map(([name, config]): ModelDefinition => {
    const complain = (path: (string | number)[], message: string, allowed?: string): void =>
      void problems.push({
        path: ['models', name, ...path],
        message,
        ...(allowed === undefined ? {} : { allowed }),
      });
    checkBuilder(config.builder, { jobs, other: builders.get(config.builder) }, complain);
    builders.set(config.builder, name);
    const served = [config.service ?? []].flat();
    for (const service of served)
      if (!Object.hasOwn(services, service))
        complain(['service'], `there is no service ${service}`, namesOf(services, 'a service'));
    checkPlace(config, complain);
    const { metric, better, margin } = config.promote ?? {};
    return {
      name,
      builder: config.builder,
      services: served,
      location: locate(config.location),
      promote:
        metric === undefined || better === undefined || margin === undefined
          ? null
          : { metric, better, margin },
      keep: config.keep,
      params: config.params,
    };
  });
}

type Complain = (path: (string | number)[], message: string, allowed?: string) => void;

function checkBuilder(
  builder: string,
  { jobs, other }: { jobs: Surroundings['jobs']; other: string | undefined },
  complain: Complain,
): void {
  const job = Object.hasOwn(jobs, builder) ? jobs[builder] : undefined;
  if (job === undefined) {
    complain(['builder'], `there is no job ${builder}`, namesOf(jobs, 'a job'));
    return;
  }
  if (other !== undefined)
    complain(['builder'], `the job ${builder} builds ${other} already`, 'a job for each model');
  if (job.needs.some(takesAnyModelMessage))
    complain(
      ['builder'],
      `the job ${builder} needs any message on the topic of models: each NEW_MODEL would start it again`,
      'BUILD_MODEL runs it without such a need; or a need with `where`',
    );
}

function takesAnyModelMessage(need: NeedConfig): boolean {
  if ('any_of' in need) return need.any_of.some(takesAnyModelMessage);
  if ('of' in need) return need.of.some(takesAnyModelMessage);
  return 'topic' in need && need.topic === 'model' && need.where === undefined;
}

function checkPlace({ location, hdfs, s3 }: ModelConfig, complain: Complain): void {
  const isHdfs = location.startsWith('hdfs://');
  const isS3 = /^s3a?:\/\//.test(location);
  if (hdfs !== undefined && !isHdfs)
    complain(['hdfs'], 'the location is not in HDFS', 'hdfs beside a location such as hdfs://nn:9000/models');
  if (s3 !== undefined && !isS3)
    complain(['s3'], 'the location is not in S3', 's3 beside a location such as s3a://bucket/models');
  if (isHdfs && hdfs === undefined)
    complain(
      ['location'],
      'hdfs is missing, which says where WebHDFS answers: services read versions by it',
      "hdfs: { webhdfs: ['http://namenode:9870'] } beside it",
    );
}

function namesOf(members: object, noun: string): string {
  const names = Object.keys(members);
  return names.length === 0 ? `${noun} of this hippo, which has none` : names.join(', ');
}
