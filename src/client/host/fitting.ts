import type { Alert, FrontierEvent, JobFinish, JobStart, ModelMessage } from '../../messages/index.ts';

type JobMessage = JobStart | JobFinish;
type Message = JobMessage | FrontierEvent | Alert | ModelMessage;

/** What is kept of a finish message's error, characters, where the whole is too much. */
const ERROR_LENGTH = 300;

/** The same message with the number of the received messages instead of their list. */
export function withoutList<Message extends JobMessage>(message: Message): Message {
  const { receiveMsgs, ...rest } = message;
  if (receiveMsgs === undefined) return message;
  return { ...rest, receiveCount: receiveMsgs.length } as Message;
}

/** A message in ever smaller versions, the whole one first; what is left out last is what others need most. */
export function* smallerAndSmaller(message: Message): Generator<Message> {
  yield message;
  if (message.kind === 'frontier' || message.kind === 'model') return;
  if (message.kind === 'alert') {
    yield { ...message, next: [], text: message.text.slice(0, ERROR_LENGTH) };
    return;
  }
  const bare = withoutList(message);
  yield bare;
  const short =
    bare.kind === 'finish' && bare.errorMsg !== undefined
      ? { ...bare, errorMsg: bare.errorMsg.slice(0, ERROR_LENGTH) }
      : bare;
  yield short;
  yield { ...short, extra: {} };
}
