export interface ArgumentTemplate {
  readonly source: string;
}
