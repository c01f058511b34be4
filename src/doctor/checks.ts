/** Every check, in the order in which they are told. */
import type { Check, DoctorContext } from './check.ts';
import { endpointChecks } from './endpoint-checks.ts';
import { flowChecks } from './flow-checks.ts';
import { clockCheck, publicKeyCheck } from './meta-checks.ts';
import { httpServerCheck, inboxCheck, readinessCheck, redisCheck } from './server-checks.ts';
import { appSecretCheck, keyChecks, settingsCheck } from './settings-checks.ts';
import { certificateFileCheck, publicCertificateCheck } from './tls-checks.ts';

export function checksFor(context: Omit<DoctorContext, 'signal'>): Check[] {
  return [
    settingsCheck,
    ...keyChecks(context),
    appSecretCheck,
    ...flowChecks(context),
    publicKeyCheck,
    clockCheck,
    certificateFileCheck,
    publicCertificateCheck,
    ...endpointChecks(context),
    redisCheck,
    inboxCheck,
    httpServerCheck,
    readinessCheck,
  ];
}
