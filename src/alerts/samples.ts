import type { Delivery, ToldAlert } from './types.ts';

/** 2017-04-29T06:30:00Z */
const AT = 1_493_447_400_000;

const ALERT: ToldAlert = {
  id: 'etl/load/failed/2017-04-28/1493447400',
  state: 'firing',
  condition: 'failed',
  subject: 'load',
  runKey: '2017-04-28',
  since: AT,
  resolvedAt: null,
  // What a template must stand.
  text: 'load 2017-04-28 has failed: "exit code 3" \\ {{ }}\n\t</script>',
  next: ['hippo job run etl/load --key 2017-04-28'],
};

const DELIVERY: Delivery = { hippo: 'etl', timezone: 'UTC', at: AT, alerts: [ALERT], isTest: false };

/** Deliveries that between them have all that there can be, to check templates with. */
export const SAMPLES: readonly Delivery[] = [
  DELIVERY,
  {
    ...DELIVERY,
    alerts: [
      { ...ALERT, state: 'resolved', resolvedAt: AT + 60_000, runKey: null, next: [] },
      { ...ALERT, condition: 'crash-loop', subject: 'api', runKey: null },
    ],
  },
];

/** What `hippo alerts test` sends: no hippo has a job of this name by itself, and it says that it is a test. */
export function testDelivery(delivery: Pick<Delivery, 'hippo' | 'timezone' | 'at'>, id: string): Delivery {
  const { at } = delivery;
  const alert: ToldAlert = {
    ...ALERT,
    id: `${id}/${Math.floor(at / 1000)}`,
    subject: 'alerts-test',
    runKey: null,
    since: at,
    text: 'this is a test, sent by hippo alerts test: nothing has failed',
    next: [],
  };
  return { ...delivery, alerts: [alert], isTest: true };
}
