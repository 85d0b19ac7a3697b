/** Sources find out what has landed. A source only lists; the client's machine decides what is new. */
export { FolderScanner } from './folder.ts';
export { type HdfsOptions, HdfsScanner } from './hdfs.ts';
export { type Levels, parseLevels } from './levels.ts';
export { type S3Patience, S3Scanner, parseS3Url } from './s3.ts';
export {
  type FoundLanding,
  PartlyAwayError,
  type ScanError,
  type Scanner,
  type Skip,
  SourceAwayError,
  SourceSettingError,
  describeAway,
  isScanError,
} from './scanner.ts';
export { type SqlOptions, type SqlRead, SqlScanner } from './sql/scanner.ts';
