/** What a model takes and gives as tensors. */
import type { Classifier, Model, Recommender } from '../../predict/index.ts';
import type { Batch, PredictionLimits } from '../predictions.ts';
import type { BinaryInputs, InferRequest } from './message.ts';
import { type Datatype, type OutputTensor, TensorProblem, numbersOf, textsOf } from './tensors.ts';

export interface TensorInfo {
  name: string;
  datatype: Datatype;
  /** −1: as many as there are. */
  shape: number[];
}

/** As `GET /v2/models/NAME` tells it. */
export function tensorsOf(model: Model): { inputs: TensorInfo[]; outputs: TensorInfo[] } {
  if (model.kind === 'recommender')
    return {
      inputs: [{ name: 'user', datatype: 'BYTES', shape: [-1] }],
      outputs: [
        { name: 'items', datatype: 'BYTES', shape: [-1, -1] },
        { name: 'scores', datatype: 'FP32', shape: [-1, -1] },
        { name: 'known', datatype: 'BOOL', shape: [-1] },
      ],
    };
  return {
    inputs: [{ name: 'input', datatype: 'FP64', shape: [-1, model.features.length] }],
    outputs: [
      { name: 'class', datatype: 'BYTES', shape: [-1] },
      { name: 'class_index', datatype: 'INT64', shape: [-1] },
      { name: 'probabilities', datatype: 'FP64', shape: [-1, model.classes.length] },
    ],
  };
}

export interface Inference {
  request: InferRequest;
  binary: BinaryInputs;
  limits: PredictionLimits;
}

/**
 * The outputs that the request wants, in its order; all where it names none.
 *
 * @throws TensorProblem for inputs and outputs that the model does not have
 */
export async function infer(batch: Batch, inference: Inference): Promise<OutputTensor[]> {
  const { model } = batch.held;
  const { outputs } = tensorsOf(model);
  const wanted = inference.request.outputs?.map(({ name }) => name) ?? outputs.map(({ name }) => name);
  for (const name of wanted) {
    if (!outputs.some((output) => output.name === name))
      throw new TensorProblem(
        `the model ${model.name} has no output "${name}"; it has ${outputs.map((output) => output.name).join(', ')}`,
      );
  }
  const all =
    model.kind === 'classifier'
      ? await classify(batch, model, inference)
      : await recommend(batch, model, inference);
  return wanted.map((name) => all.find((output) => output.name === name) as OutputTensor);
}

async function classify(batch: Batch, model: Classifier, inference: Inference): Promise<OutputTensor[]> {
  const rows = rowsOf(model, inference);
  const probabilities = await batch.probabilities(rows);
  // As classOf: of equal ones the first.
  const indexes = probabilities.map((row) => row.indexOf(Math.max(...row)));
  const shape = [rows.length];
  return [
    { name: 'class', datatype: 'BYTES', shape, data: indexes.map((index) => model.classes[index] ?? '') },
    { name: 'class_index', datatype: 'INT64', shape, data: indexes },
    {
      name: 'probabilities',
      datatype: 'FP64',
      shape: [rows.length, model.classes.length],
      data: probabilities.flatMap((row) => [...row]),
    },
  ];
}

/** One tensor of all features, whatever its name is, or one for each feature. */
function rowsOf({ name, features }: Classifier, { request, binary, limits }: Inference): Float64Array[] {
  const { inputs } = request;
  const most = limits.batch * features.length;
  const [first] = inputs;
  const isWhole =
    inputs.length === 1 && first !== undefined && (features.length === 1 || !features.includes(first.name));
  if (isWhole) {
    const width = first.shape.at(-1);
    if (first.shape.length > 2 || width !== features.length)
      throw new TensorProblem(
        `the input "${first.name}" must have the shape [rows,${features.length}] (${features.join(', ')}); it has [${first.shape.join()}]`,
      );
    const values = numbersOf(first, binary.get(0), most);
    const rows = values.length / features.length;
    return Array.from({ length: rows }, (_, row) =>
      values.subarray(row * features.length, (row + 1) * features.length),
    );
  }
  const columns = features.map((feature) => {
    const index = inputs.findIndex((input) => input.name === feature);
    const input = inputs[index];
    if (input === undefined) throw new TensorProblem(`the model ${name} needs the input "${feature}"`);
    return numbersOf(input, binary.get(index), limits.batch);
  });
  for (const input of inputs) {
    if (!features.includes(input.name))
      throw new TensorProblem(`the model ${name} has no input "${input.name}"`);
  }
  const rows = columns[0]?.length ?? 0;
  if (columns.some((column) => column.length !== rows))
    throw new TensorProblem('the inputs do not have the same number of rows');
  return Array.from({ length: rows }, (_, row) => Float64Array.from(columns, (column) => column[row] ?? 0));
}

const COUNT = 10;

async function recommend(batch: Batch, model: Recommender, inference: Inference): Promise<OutputTensor[]> {
  const { request, binary, limits } = inference;
  const [input] = request.inputs;
  if (input === undefined || request.inputs.length > 1 || input.name !== 'user')
    throw new TensorProblem(`the model ${model.name} takes one input, "user"`);
  const users = textsOf(input, binary.get(0), limits.batch);
  const { count = COUNT, known = false } = request.parameters ?? {};
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > limits.top)
    throw new TensorProblem(`the parameter "count" must be a whole number from 1 to ${limits.top}`);
  if (typeof known !== 'boolean') throw new TensorProblem('the parameter "known" must be true or false');
  if (users.length * count > MOST_ITEMS)
    throw new TensorProblem(`the number of users times "count" must be at most ${MOST_ITEMS}`);
  const found = await batch.top(users, count, known);
  // A tensor has rows of one length: what a user has fewer is an empty text, with the score 0.
  const width = Math.max(0, ...found.map(({ items }) => items.length));
  const padded = found.flatMap(({ items }) => Array.from({ length: width }, (_, at) => items[at]));
  return [
    {
      name: 'items',
      datatype: 'BYTES',
      shape: [users.length, width],
      data: padded.map((one) => one?.item ?? ''),
    },
    {
      name: 'scores',
      datatype: 'FP32',
      shape: [users.length, width],
      data: padded.map((one) => one?.score ?? 0),
    },
    { name: 'known', datatype: 'BOOL', shape: [users.length], data: found.map((one) => one.known) },
  ];
}

/** So many items does one answer have at most, over all its users. */
const MOST_ITEMS = 20_000;
