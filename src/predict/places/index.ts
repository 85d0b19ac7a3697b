/** Where the versions of a model can be. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError, messageOf } from '../../core/errors.ts';
import { hadoopUser } from '../../core/user-name.ts';
import { parseS3Url } from '../../sources/files.ts';
import type { ModelPlace } from '../types.ts';
import { HdfsFolder } from './hdfs.ts';
import { LocalFolder } from './local.ts';
import { SILENCE, type VersionFolder } from './place.ts';
import { S3Folder } from './s3.ts';

/**
 * @param version a folder's name
 * @throws UserError where the place is not set as it must be
 */
export function openVersion(place: ModelPlace, version: string): VersionFolder {
  const { location } = place;
  const [, scheme = ''] = /^([a-z][a-z\d+.-]+):/i.exec(location) ?? [];
  switch (scheme.toLowerCase()) {
    case '':
      return new LocalFolder(resolve(location), version);
    case 'file':
      return new LocalFolder(pathOf(location), version);
    case 'hdfs':
      return hdfsFolder(place, version);
    case 's3':
    case 's3a':
    case 's3n':
      return s3Folder(place, version);
    default:
      throw wrong(location, `${scheme}: is none of file:, hdfs:, s3a:, s3:`);
  }
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw wrong(url, messageOf(error));
  }
}

/** The host of the URL is that of the RPC port, or of a name service: WebHDFS has another address. */
function hdfsFolder({ location, hdfs }: ModelPlace, version: string): VersionFolder {
  const path = /^hdfs:(?:\/\/[^/]*)?(\/.*)$/is.exec(location)?.[1] ?? '';
  if (path === '' || path.split('/').some((part) => part === '.' || part === '..'))
    throw wrong(location, 'it must be like hdfs://namenode:8020/models/iris, without "." and ".."');
  if (hdfs === undefined) throw wrong(location, 'hdfs.webhdfs is not set: it is http://namenode:9870');
  const given = typeof hdfs.webhdfs === 'string' ? hdfs.webhdfs.split(',') : hdfs.webhdfs;
  const addresses = given.map((address) => address.trim()).filter((address) => address !== '');
  const odd = addresses.find((address) => !/^https?:\/\/./.test(address));
  if (odd !== undefined || addresses.length === 0)
    throw wrong(location, `hdfs.webhdfs must be like http://namenode:9870; it is "${odd ?? ''}"`);
  const user = hdfs.user ?? hadoopUser(process.env);
  return new HdfsFolder({ path, addresses, user, silence: hdfs.request_timeout }, version);
}

function s3Folder({ location, s3 = {} }: ModelPlace, version: string): VersionFolder {
  const { bucket, prefix } = parseS3Url(location.replace(/^s3[an]?:/i, 's3:'));
  if (bucket === '' || bucket.includes('@'))
    throw wrong(location, 'it must be like s3a://bucket/models/iris, without credentials');
  const { endpoint, region, profile, path_style, request_timeout = SILENCE } = s3;
  const pathStyle = path_style ?? endpoint !== undefined;
  return new S3Folder(
    { bucket, prefix, endpoint, region, profile, pathStyle, timeout: request_timeout },
    version,
  );
}

function wrong(location: string, why: string): UserError {
  return new UserError(`the location ${location} of a model cannot be read`, { why });
}
