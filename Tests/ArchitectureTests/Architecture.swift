/// A target of the package and what it may know.
struct Room: Sendable {
  let name: String
  /// 0 to 4; a room may look at rooms of its own layer and below.
  let layer: Int
  /// Our own targets that it may import.
  let own: Set<String>
  /// Modules of the toolchain, beyond the standard library itself.
  let system: Set<String>
  /// Products of other packages, by module name.
  let external: Set<String>
  let kind: Kind

  enum Kind { case swift, c, systemLibrary }

  init(
    _ name: String, layer: Int, own: Set<String> = [], system: Set<String> = [], external: Set<String> = [], kind: Kind = .swift
  ) {
    self.name = name
    self.layer = layer
    self.own = own
    self.system = system
    self.external = external
    self.kind = kind
  }
}

/// The one table of what may import what; `docs/ARCHITECTURE.md` shows it for people. A new target, or a new arrow, is a line here.
enum Architecture {
  /// All targets that ship, below layer 4.
  static let anything: Set<String> = Set(lower.map(\.name))

  static let rooms: [Room] =
    lower + [
      // For tests alone: nothing else may import it.
      Room(
        "Simulation", layer: 3,
        own: ["AcceptableUse", "Completions", "Documents", "Governance", "GovernanceTypes", "LicenseTerms", "UsageLedger"],
        system: basics),
      // Layer 4: the composition knows everything, the command next to nothing.
      Room(
        "GatewayApp", layer: 4, own: anything, system: basics.union(["Dispatch", "Foundation"]),
        external: serving.union(["AsyncHTTPClient", "HummingbirdCore", "HummingbirdHTTP2", "NIOSSL"])),
      Room(
        "weighbridge", layer: 4, own: ["Documents", "GatewayApp"], system: basics.union(["Foundation"]),
        external: ["ArgumentParser"]),
    ]

  private static let lower: [Room] = [
    // Layer 0: values. The two columns meet only in Completions.
    Room("GovernanceTypes", layer: 0),
    Room("Documents", layer: 0),
    Room("Completions", layer: 0, system: ["Synchronization"]),
    Room("ModelFiles", layer: 0, own: ["Documents"], system: basics),
    Room("Tokenization", layer: 0, own: ["Documents"], system: basics),
    Room("Sampling", layer: 0, system: basics),
    Room("ConstrainedOutput", layer: 0, own: ["Documents"], system: basics),

    // Layer 1, governance: pure domains. No clock, no randomness, no I/O: not even the C library.
    Room("LicenseTerms", layer: 1, own: ["GovernanceTypes", "Documents"]),
    Room("Audience", layer: 1, own: ["GovernanceTypes", "Documents"]),
    Room("AcceptableUse", layer: 1, own: ["GovernanceTypes", "Documents"]),
    Room("UsageLedger", layer: 1, own: ["GovernanceTypes", "Documents"]),
    Room("Billing", layer: 1, own: ["GovernanceTypes", "Documents", "UsageLedger"]),
    Room("AuditTrail", layer: 1, own: ["GovernanceTypes", "Documents"]),

    // Layer 1 and 2, the engine.
    Room("CKernels", layer: 1, kind: .c),
    Room("Tensors", layer: 1, own: ["CKernels"], system: basics),
    Room("LlamaModel", layer: 2, own: ["Tensors", "ModelFiles", "Tokenization", "Documents"], system: basics),
    Room("TextEncoder", layer: 2, own: ["Tensors", "ModelFiles", "Documents"], system: basics),
    Room(
      "InferenceEngine", layer: 2,
      own: [
        "LlamaModel", "Tensors", "ModelFiles", "Tokenization", "Sampling", "ConstrainedOutput", "Completions",
      ],
      system: basics),

    Room("CLibYAML", layer: 2, kind: .systemLibrary),
    Room("YAMLDocuments", layer: 2, own: ["CLibYAML", "Documents"]),

    // Layer 2, governance: one request's life.
    Room(
      "Governance", layer: 2,
      own: [
        "GovernanceTypes", "Documents", "Completions", "LicenseTerms", "Audience", "AcceptableUse", "UsageLedger", "Billing",
        "AuditTrail",
      ], system: ["Synchronization"]),

    // Layer 3: the edges.
    Room("COpenSSL", layer: 3, kind: .systemLibrary),
    Room("AuditSigning", layer: 3, own: ["AuditTrail", "GovernanceTypes", "Documents", "COpenSSL"], system: basics),
    Room(
      "GovernanceStore", layer: 3,
      own: [
        "Governance", "GovernanceTypes", "Documents", "LicenseTerms", "Audience", "AcceptableUse", "UsageLedger", "Billing",
        "AuditTrail",
      ], system: basics.union(["Dispatch", "Foundation"]), external: ["GRDB", "GRDBSQLite", "Logging"]),
    Room(
      "AdminTokens", layer: 3, own: ["Documents", "Governance", "GovernanceTypes"], system: basics.union(["Foundation"]),
      external: ["JWTKit"]),
    Room("OpenAIWire", layer: 3, own: ["Completions", "Documents", "GovernanceTypes"]),
    Room(
      "RemoteEngines", layer: 3, own: ["Completions", "Documents", "OpenAIWire"], system: ["Synchronization"],
      external: ["NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL"]),
    Room("GatewayHTTP", layer: 3, own: exposed.union(["OpenAIWire"]), system: basics.union(["Foundation"]), external: serving),
    Room(
      "AdminHTTP", layer: 3, own: exposed.union(["OpenAIWire", "GatewayHTTP"]), system: basics.union(["Foundation"]),
      external: serving),
  ]

  /// Governance, and the types that its public interface is made of.
  private static let exposed: Set<String> = [
    "Governance", "GovernanceTypes", "Documents", "Completions", "LicenseTerms", "AcceptableUse", "UsageLedger", "Billing",
  ]

  private static let basics: Set<String> = ["Synchronization", "Glibc"]

  /// The HTTP server and the parts of it that have a name of their own.
  private static let serving: Set<String> = [
    "Hummingbird", "HTTPTypes", "Logging", "NIOCore", "NIOPosix", "NIOHTTP1", "NIOHTTPTypes", "NIOFoundationCompat",
    "ServiceLifecycle", "UnixSignals",
  ]

  /// What the toolchain brings along; anything else that is not ours is a package's.
  static let toolchain: Set<String> = [
    "Swift", "_Concurrency", "Synchronization", "Glibc", "Dispatch", "Foundation", "FoundationEssentials",
  ]

  static func room(_ name: String) -> Room? { self.rooms.first { $0.name == name } }
}

extension Architecture {
  /// Every import in `sources` that the table does not have.
  static func findings(in sources: [SourceFile], rooms: [Room] = Architecture.rooms) -> [Finding] {
    let table = Dictionary(rooms.map { ($0.name, $0) }) { first, _ in first }
    return sources.filter { $0.language == .swift }.flatMap { file -> [Finding] in
      guard let room = table[file.target] else {
        return [
          Finding(file.path, 1, "the target \(file.target) is not in the table of Tests/ArchitectureTests/Architecture.swift")
        ]
      }
      return file.imports.compactMap { line, module in
        let allowed = room.own.union(room.system).union(room.external).union(["Swift"])
        guard !allowed.contains(module) else { return nil }
        return Finding(file.path, line, "\(room.name) may not import \(module)")
      }
    }
  }

  /// Arrows of the table that point up, or to no room at all.
  static func directionFindings(rooms: [Room] = Architecture.rooms) -> [Finding] {
    let layers = Dictionary(rooms.map { ($0.name, $0.layer) }) { first, _ in first }
    return rooms.flatMap { room in
      room.own.sorted().compactMap { name in
        guard let layer = layers[name] else { return Finding(room.name, 0, "names \(name), which is no room of the table") }
        return layer > room.layer ? Finding(room.name, 0, "of layer \(room.layer) points up to \(name) of layer \(layer)") : nil
      }
    }
  }

  /// Foundation below layer 3, whatever the table says.
  static func foundationFindings(in sources: [SourceFile], rooms: [Room] = Architecture.rooms) -> [Finding] {
    let layers = Dictionary(rooms.map { ($0.name, $0.layer) }) { first, _ in first }
    return sources.flatMap { file in
      file.imports.compactMap { line, module in
        guard module.hasPrefix("Foundation"), let layer = layers[file.target], layer < 3 else { return nil }
        return Finding(file.path, line, "\(file.target) is of layer \(layer), where Foundation is not used")
      }
    }
  }
}
