import assert from "node:assert/strict";
import { isIP } from "node:net";
import { describe, it } from "node:test";
import { chooseAddress, type Reaches } from "../../../service/egress/addresses.ts";

const dialed = async (addresses: readonly string[], reaches: Reaches = "public") => {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (await chooseAddress({ host: "api.example", reaches }, async () => found))?.address;
};

describe("addresses that previews' calls go to", () => {
  it("dials a public one", async () => {
    assert.equal(await dialed(["93.184.215.14"]), "93.184.215.14");
    assert.equal(await dialed(["2a00:1450:4001::1"]), "2a00:1450:4001::1");
  });

  it("dials nothing on this machine, in private networks or where clouds keep credentials", async () => {
    const hidden = ["127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254"];
    const inSix = ["::1", "::", "fd00:ec2::254", "fe80::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"];
    const wrapped = ["64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::"];
    const odd = ["0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1"];
    for (const address of [...hidden, ...inSix, ...wrapped, ...odd])
      assert.equal(await dialed([address]), undefined, address);
  });

  it("leaves out what it must not dial of a name with several", async () => {
    assert.equal(await dialed(["169.254.169.254", "93.184.215.14"]), "93.184.215.14");
  });

  it("follows a name of the operator's into private networks, and never to this machine", async () => {
    assert.equal(await dialed(["10.1.2.3"], "private"), "10.1.2.3");
    assert.equal(await dialed(["fd00::5"], "private"), "fd00::5");
    for (const address of ["127.0.0.1", "::1", "169.254.169.254", "fe80::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]) {
      assert.equal(await dialed([address], "private"), undefined, address);
    }
  });

  it("dials an address as it stands only where the operator named it", async () => {
    const nobody = async () => assert.fail("an address was looked up");
    assert.equal(await chooseAddress({ host: "10.0.0.5", reaches: "public" }, nobody), undefined);
    assert.deepEqual(await chooseAddress({ host: "10.0.0.5", reaches: "private" }, nobody), {
      address: "10.0.0.5",
      family: 4,
    });
  });
});
