/** A self-signed certificate for `127.0.0.1`, and its key, as PEM: the few lines of ASN.1 that one takes. */
import { generateKeyPairSync, sign } from 'node:crypto';

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = length > 255 ? [0x82, length >> 8, length & 0xff] : [0x81, length];
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : long)]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const bytes = (...values: readonly number[]): Buffer => Buffer.from(values);
const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value));

/** 1.3.101.112 */
const ed25519 = sequence(der(0x06, bytes(0x2b, 0x65, 0x70)));
/** 2.5.4.3 */
const commonName = (name: string): Buffer =>
  sequence(der(0x31, sequence(der(0x06, bytes(0x55, 0x04, 0x03)), text(0x0c, name))));
/** 2.5.29.17, an address */
const forLoopback = sequence(der(0x06, bytes(0x55, 0x1d, 0x11)), der(0x04, sequence(der(0x87, bytes(127, 0, 0, 1)))));

export function selfSigned(): { readonly certificate: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const name = commonName('signalbox test');
  const body = sequence(
    der(0xa0, der(0x02, bytes(2))),
    der(0x02, bytes(1)),
    ed25519,
    name,
    sequence(text(0x17, '200101000000Z'), text(0x17, '491231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(forLoopback)),
  );
  const whole = sequence(body, ed25519, der(0x03, bytes(0), sign(null, body, privateKey)));
  const lines = whole.toString('base64').replaceAll(/.{64}/g, '$&\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}
