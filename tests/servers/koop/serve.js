// SPDX-License-Identifier: Apache-2.0
// Serves the GeoJSON files of a folder as FeatureServers on a free port, which it prints: node serve.js FOLDER (below the present one)
const Koop = require("@koopjs/koop-core");
const provider = require("@koopjs/provider-file-geojson");
const koop = new Koop({ logLevel: "error" });
koop.register(provider, { dataDir: process.argv[2] });
const server = koop.server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port));
