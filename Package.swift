// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdHTTP2 = Target.Dependency.product(name: "HummingbirdHTTP2", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

func layer(_ name: String, _ dependencies: Target.Dependency...) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: Target.Dependency...) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

// The order is that of the layers, from the bottom up; Tests/ArchitectureTests holds the table that the imports must obey.
let package = Package(
  name: "weighbridge",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "weighbridge", targets: ["weighbridge"])],
  dependencies: [
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
  ],
  targets: [
    // Layer 0
    layer("GovernanceTypes"),
    layer("Documents"),
    layer("Completions"),
    layer("ModelFiles", "Documents"),
    layer("Tokenization", "Documents"),
    layer("Sampling"),
    layer("ConstrainedOutput", "Documents"),
    // Layer 1
    layer("LicenseTerms", "GovernanceTypes", "Documents"),
    layer("Audience", "GovernanceTypes"),
    layer("AcceptableUse", "GovernanceTypes", "Documents"),
    layer("UsageLedger", "GovernanceTypes"),
    layer("Billing", "Documents", "GovernanceTypes"),
    .target(
      name: "AuditTrail", dependencies: ["GovernanceTypes", "Documents"],
      resources: [.embedInCode("Resources/proof.py"), .embedInCode("Resources/verify.py")],
      swiftSettings: strict),
    .target(name: "CKernels"),
    layer("Tensors", "CKernels"),
    // Layer 2
    .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    layer("YAMLDocuments", "CLibYAML", "Documents"),
    layer(
      "Governance", "AcceptableUse", "Audience", "Billing", "Completions", "Documents", "GovernanceTypes", "LicenseTerms",
      "UsageLedger"),
    layer("LlamaModel", "Documents", "ModelFiles", "Tensors", "Tokenization"),
    layer("TextEncoder", "Documents", "ModelFiles", "Tensors"),
    layer(
      "InferenceEngine", "Completions", "ConstrainedOutput", "LlamaModel", "ModelFiles", "Sampling", "Tensors", "Tokenization"),
    // Layer 3
    layer(
      "GovernanceStore", "AuditTrail", "Documents", "Governance", "GovernanceTypes", "UsageLedger", grdb,
      .product(name: "GRDBSQLite", package: "GRDB.swift")),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    layer("AuditSigning", "AuditTrail", "COpenSSL", "GovernanceTypes"),
    layer("OpenAIWire", "Completions", "Documents"),
    layer(
      "RemoteEngines", "Completions", "Documents", "OpenAIWire", nioCore, .product(name: "NIOHTTP1", package: "swift-nio"),
      .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl")),
    layer(
      "GatewayHTTP", "Completions", "Documents", "Governance", "GovernanceTypes", "LicenseTerms", "OpenAIWire", "UsageLedger",
      hummingbird, httpTypes, nioCore, nioHTTPTypes),
    layer(
      "AdminTokens", "Documents", "Governance", "GovernanceTypes", .product(name: "JWTKit", package: "jwt-kit")),
    layer(
      "AdminHTTP", "Billing", "Completions", "Documents", "GatewayHTTP", "Governance", "GovernanceTypes", "LicenseTerms",
      "UsageLedger",
      hummingbird, httpTypes, nioCore),
    // For tests alone
    layer(
      "Simulation", "AcceptableUse", "Completions", "Documents", "Governance", "GovernanceTypes", "LicenseTerms", "UsageLedger"),
    // Layer 4
    layer(
      "GatewayApp", "AcceptableUse", "AdminHTTP", "AdminTokens", "AuditSigning", "AuditTrail", "Billing", "Completions",
      "Documents",
      "GatewayHTTP",
      "Governance", "GovernanceStore", "GovernanceTypes", "InferenceEngine", "LicenseTerms", "LlamaModel", "ModelFiles",
      "RemoteEngines", "Tensors", "TextEncoder", "Tokenization", "YAMLDocuments",
      hummingbird, hummingbirdCore, hummingbirdHTTP2, nioCore, logging, .product(name: "NIOHTTP1", package: "swift-nio"),
      .product(name: "NIOSSL", package: "swift-nio-ssl"),
      .product(name: "AsyncHTTPClient", package: "async-http-client"),
      .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      .product(name: "UnixSignals", package: "swift-service-lifecycle")),
    .executableTarget(
      name: "weighbridge",
      dependencies: ["Documents", "GatewayApp", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: strict),
    // Benchmarks, each one command
    .executableTarget(
      name: "audience-bench", dependencies: ["Audience", "GovernanceTypes"], path: "Benchmarks/Audience",
      exclude: ["datasketches_side.py", "requirements.txt"], swiftSettings: strict),
    .executableTarget(
      name: "terms-bench",
      dependencies: [
        "AcceptableUse", "AuditSigning", "Completions", "Documents", "Governance", "GovernanceStore", "GovernanceTypes",
        "LicenseTerms", "YAMLDocuments",
      ], path: "Benchmarks/Terms", swiftSettings: strict),
    .executableTarget(
      name: "ledger-bench",
      dependencies: [
        "AuditSigning", "Documents", "Governance", "GovernanceStore", "GovernanceTypes", "UsageLedger",
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ], path: "Benchmarks/Ledger", swiftSettings: strict),
    .executableTarget(
      name: "audit-bench", dependencies: ["AuditSigning", "AuditTrail", "Documents", "GovernanceTypes"], path: "Benchmarks/Audit",
      exclude: ["bench.sh"], swiftSettings: strict),
    .executableTarget(
      name: "acceptable-use-bench", dependencies: ["AcceptableUse", "Documents", "GovernanceTypes", "YAMLDocuments"],
      path: "Benchmarks/AcceptableUse", exclude: ["allocations.c"], swiftSettings: strict),
    .executableTarget(
      name: "encoder-bench", dependencies: ["Documents", "ModelFiles", "TextEncoder"], path: "Benchmarks/TextEncoder",
      swiftSettings: strict),
    .executableTarget(
      name: "gateway-upstream",
      dependencies: [
        nioCore, .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ], path: "Benchmarks/Gateway/Upstream", swiftSettings: strict),
    .executableTarget(
      name: "gateway-plain",
      dependencies: [
        hummingbird, httpTypes, nioCore, logging, .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
      ], path: "Benchmarks/Gateway/Plain", swiftSettings: strict),
    .executableTarget(
      name: "engine-load", dependencies: ["Completions", "InferenceEngine", "Tensors"], path: "Benchmarks/EngineLoad",
      exclude: ["load.py", "peer_load.py"], swiftSettings: strict),
    // Writes the files of `make conformance` too.
    .executableTarget(
      name: "billing-bench",
      dependencies: ["AuditSigning", "Billing", "Documents", "Governance", "GovernanceStore", "GovernanceTypes", "UsageLedger"],
      path: "Benchmarks/Billing", swiftSettings: strict),
    // Tests
    .executableTarget(name: "simulate", dependencies: ["Simulation"], path: "Tests/Endurance/Simulate", swiftSettings: strict),
    .target(
      name: "FuzzHarnesses",
      dependencies: [
        "AcceptableUse", "Audience", "AuditTrail", "ConstrainedOutput", "Documents", "GovernanceTypes", "LicenseTerms",
        "LlamaModel", "ModelFiles", "OpenAIWire", "Tokenization", "YAMLDocuments",
      ], path: "FuzzTesting/Harnesses", swiftSettings: strict),
    tests("ArchitectureTests"),
    // Runs the built command itself; it is skipped with a message where there is none.
    tests("EndToEndTests", "UpstreamFixtures", nioCore),
    tests("GovernanceTypesTests", "GovernanceTypes"),
    tests("DocumentsTests", "Documents"),
    tests("ModelFilesTests", "ModelFiles", "FuzzHarnesses"),
    tests("TokenizationTests", "Tokenization", "ModelFiles"),
    tests("SamplingTests", "Sampling"),
    tests("ConstrainedOutputTests", "ConstrainedOutput", "Documents", "EngineFixtures"),
    tests("LicenseTermsTests", "LicenseTerms", "YAMLDocuments", "GovernanceTypes", "Documents"),
    tests("YAMLDocumentsTests", "YAMLDocuments", "Documents"),
    tests("AcceptableUseTests", "AcceptableUse", "GovernanceTypes", "Documents", "YAMLDocuments"),
    tests("AuditTrailTests", "AuditTrail", "Documents", "GovernanceTypes"),
    tests("AuditSigningTests", "AuditSigning", "AuditTrail", "Documents", "GovernanceTypes"),
    .target(name: "EngineFixtures", path: "Tests/EngineFixtures", swiftSettings: strict),
    tests("CKernelsTests", "CKernels", "EngineFixtures"),
    tests("TensorsTests", "EngineFixtures", "Tensors"),
    .testTarget(
      name: "TextEncoderTests", dependencies: ["Documents", "ModelFiles", "TextEncoder"], exclude: ["Tiny"], swiftSettings: strict
    ),
    tests("LlamaModelTests", "EngineFixtures", "LlamaModel", "ModelFiles", "Tensors", "Tokenization"),
    tests("InferenceEngineTests", "Completions", "EngineFixtures", "InferenceEngine", "LlamaModel", "Tensors"),
    tests(
      "GovernanceStoreTests", "GovernanceStore", "Governance", "GovernanceTypes", "Documents", "AuditTrail", "UsageLedger", grdb),
    tests("BillingTests", "Billing", "Documents", "GovernanceTypes"),
    tests("AudienceTests", "Audience", "GovernanceTypes"),
    .target(
      name: "UpstreamFixtures",
      dependencies: [
        nioCore, .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ], path: "Tests/UpstreamFixtures", swiftSettings: strict),
    tests(
      "RemoteEnginesTests", "Completions", "RemoteEngines", "UpstreamFixtures", nioCore),
    tests("AdminTokensTests", "AdminTokens", "Documents", "Governance", "GovernanceTypes"),
    tests("GatewayHTTPTests", "GatewayHTTP", "GovernanceTypes"),
    tests("OpenAIWireTests", "Completions", "OpenAIWire"),
    tests("UsageLedgerTests", "UsageLedger", "GovernanceTypes", "Simulation"),
    tests(
      "GovernanceTests", "Governance", "Simulation", "AcceptableUse", "Audience", "AuditSigning", "Billing", "Completions",
      "Documents",
      "GovernanceTypes",
      "LicenseTerms", "UsageLedger"),
  ]
)
