import pb from '@pulumi/pulumi/proto/provider_pb.js';
import { decode, encode } from './encoding.ts';
import type {
  Autonaming,
  CheckCall,
  CheckFailure,
  CheckResult,
  CreateCall,
  DeleteCall,
  DiffCall,
  DiffResult,
  PropertyDiff,
  ReadCall,
  ResourceCall,
  ResourceState,
  UpdateCall,
} from './provider.ts';

/** Type token and name out of a URN, for engines that do not send them apart. */
export const parseUrn = (urn: string): ResourceCall => {
  const [, , types = '', ...names] = urn.slice('urn:pulumi:'.length).split('::');
  return { urn, type: types.split('$').at(-1) ?? '', name: names.join('::') };
};

const autonamingModes = ['propose', 'enforce', 'disable'] as const;

const autonamingOf = (options: pb.CheckRequest.AutonamingOptions | undefined): Autonaming | undefined => {
  const mode = options === undefined ? undefined : autonamingModes[options.getMode()];
  return options === undefined || mode === undefined ? undefined : { mode, proposedName: options.getProposedName() };
};

export const checkCall = (request: pb.CheckRequest): CheckCall => ({
  ...parseUrn(request.getUrn()),
  oldInputs: request.hasOlds() ? decode(request.getOlds()) : undefined,
  inputs: decode(request.getNews()),
  randomSeed: request.getRandomseed_asU8(),
  autonaming: autonamingOf(request.getAutonaming()),
});

export const diffCall = (request: pb.DiffRequest | pb.UpdateRequest): DiffCall => ({
  ...parseUrn(request.getUrn()),
  id: request.getId(),
  oldInputs: decode(request.getOldInputs()),
  oldOutputs: decode(request.getOlds()),
  inputs: decode(request.getNews()),
  ignoreChanges: request.getIgnorechangesList(),
});

export const createCall = (request: pb.CreateRequest): CreateCall => ({
  ...parseUrn(request.getUrn()),
  inputs: decode(request.getProperties()),
  timeoutSeconds: request.getTimeout(),
  preview: request.getPreview(),
});

export const readCall = (request: pb.ReadRequest): ReadCall => ({
  ...parseUrn(request.getUrn()),
  id: request.getId(),
  oldInputs: decode(request.getInputs()),
  oldOutputs: decode(request.getProperties()),
});

export const updateCall = (request: pb.UpdateRequest): UpdateCall => ({
  ...diffCall(request),
  timeoutSeconds: request.getTimeout(),
  preview: request.getPreview(),
});

export const deleteCall = (request: pb.DeleteRequest): DeleteCall => ({
  ...parseUrn(request.getUrn()),
  id: request.getId(),
  oldInputs: decode(request.getOldInputs()),
  oldOutputs: decode(request.getProperties()),
  timeoutSeconds: request.getTimeout(),
});

const failureMessage = ({ property, reason }: CheckFailure): pb.CheckFailure => {
  const message = new pb.CheckFailure();
  message.setProperty(property);
  message.setReason(reason);
  return message;
};

export const checkResponse = ({ inputs, failures }: CheckResult): pb.CheckResponse => {
  const response = new pb.CheckResponse();
  response.setInputs(encode(inputs));
  response.setFailuresList(failures.map(failureMessage));
  return response;
};

const diffKinds = {
  add: [pb.PropertyDiff.Kind.ADD, pb.PropertyDiff.Kind.ADD_REPLACE],
  delete: [pb.PropertyDiff.Kind.DELETE, pb.PropertyDiff.Kind.DELETE_REPLACE],
  update: [pb.PropertyDiff.Kind.UPDATE, pb.PropertyDiff.Kind.UPDATE_REPLACE],
} as const;

const propertyDiffMessage = ({ kind, replaces }: PropertyDiff): pb.PropertyDiff => {
  const message = new pb.PropertyDiff();
  message.setKind(diffKinds[kind][replaces ? 1 : 0]);
  message.setInputdiff(true);
  return message;
};

const topLevelKey = (path: string): string => path.split(/[.[]/)[0] ?? path;

export const diffResponse = ({ changes, deleteBeforeReplace }: DiffResult): pb.DiffResponse => {
  const response = new pb.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = pb.DiffResponse.DiffChanges;
  response.setChanges(changes.size === 0 ? DIFF_NONE : DIFF_SOME);
  response.setHasdetaileddiff(true);
  response.setDeletebeforereplace(deleteBeforeReplace);
  response.setDiffsList([...new Set([...changes.keys()].map(topLevelKey))]);
  for (const [path, change] of changes) {
    response.getDetaileddiffMap().set(path, propertyDiffMessage(change));
    if (change.replaces) response.addReplaces(path);
  }
  return response;
};

export const readResponse = (state: ResourceState | undefined): pb.ReadResponse => {
  const response = new pb.ReadResponse();
  // An empty ID says that there is no such resource.
  if (state === undefined) return response;
  response.setId(state.id);
  response.setInputs(encode(state.inputs));
  response.setProperties(encode(state.outputs));
  return response;
};

export const initFailedDetail = (state: ResourceState, reasons: readonly string[]): pb.ErrorResourceInitFailed => {
  const detail = new pb.ErrorResourceInitFailed();
  detail.setId(state.id);
  detail.setProperties(encode(state.outputs));
  detail.setInputs(encode(state.inputs));
  detail.setReasonsList([...reasons]);
  return detail;
};
