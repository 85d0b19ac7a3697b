-- A sample of [= database_table =]: ./sql.sh sample/[= database_name =].sql makes it anew.
[%- assign schema = database_table | split: '.' | first %]
[%- comment %]The names of Parquet's columns have to differ by more than case.[% endcomment %]
[%- assign lower = watermark | downcase %]
[%- assign own = 'customer,amount,tags,details' | split: ',' %]
[%- assign prefix = '' %][% if own contains lower %][% assign prefix = 'order_' %][% endif %]
[%- assign id = 'id' %][% assign column = watermark %]
[%- if lower == 'id' %][% assign id = watermark %][% assign column = '' %][% endif %]
[%- if column == '' %][% assign column = 'updated_at' %][% endif %]
CREATE SCHEMA IF NOT EXISTS "[= schema =]";
DROP TABLE IF EXISTS "[= schema =]"."[= database_name =]";
CREATE TABLE "[= schema =]"."[= database_name =]" (
  "[= id =]" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  [= prefix =]customer uuid NOT NULL,
  [= prefix =]amount numeric(12, 2) NOT NULL,
  [= prefix =]tags text[],
  [= prefix =]details jsonb,
  "[= column =]" timestamptz NOT NULL DEFAULT now()
);
INSERT INTO "[= schema =]"."[= database_name =]" ([= prefix =]customer, [= prefix =]amount, [= prefix =]tags, [= prefix =]details, "[= column =]")
SELECT
  md5((n % 50)::text)::uuid,
  (n % 997) + 0.99,
  CASE WHEN n % 3 = 0 THEN ARRAY['gift', 'express'] END,
  jsonb_build_object('items', n % 7 + 1),
  now() - n * interval '1 minute'
FROM generate_series(1, 1000) AS n;
