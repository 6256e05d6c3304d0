internal import Completions
internal import Documents

/// Fields that several dialects share, each read as OpenAI defines it.
extension DocumentReader {
  /// A number with a fraction, such as a temperature. Money never comes this way.
  mutating func fraction(_ key: String, in range: ClosedRange<Float>) throws(DocumentError) -> Float? {
    guard let value = self.document(key) else { return nil }
    guard case .number(let digits) = value.content else { throw self.failure(key, "a number belongs here, not \(value.kind)") }
    guard let number = Float(digits), range.contains(number) else {
      throw self.failure(key, "is \(digits); it must be from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  mutating func boundedText(_ key: String, most: Int) throws(DocumentError) -> String? {
    guard let text = try self.optionalString(key) else { return nil }
    guard !text.isEmpty, text.utf8.count <= most else { throw self.failure(key, "1 to \(most) bytes belong here") }
    return text
  }

  mutating func sampling() throws(DocumentError) -> SamplingParameters {
    SamplingParameters(
      temperature: try self.fraction("temperature", in: 0...2) ?? 1, topP: try self.fraction("top_p", in: 0...1) ?? 1,
      topK: try self.optionalInteger("top_k", in: 0...1_000_000) ?? 0, minP: try self.fraction("min_p", in: 0...1) ?? 0,
      repetitionPenalty: try self.fraction("repetition_penalty", in: 0.01...10) ?? 1,
      presencePenalty: try self.fraction("presence_penalty", in: -2...2) ?? 0,
      frequencyPenalty: try self.fraction("frequency_penalty", in: -2...2) ?? 0, logitBias: try self.logitBias(),
      seed: try self.optionalInteger("seed", in: Int.min...Int.max).map { UInt64(bitPattern: Int64($0)) })
  }

  private mutating func logitBias() throws(DocumentError) -> [Int32: Float] {
    guard let value = self.document("logit_bias") else { return [:] }
    guard case .map(let members) = value.content else { throw self.failure("logit_bias", "a map of token ids belongs here") }
    guard members.count <= 1024 else { throw self.failure("logit_bias", "at most 1024 tokens belong here") }
    var biases: [Int32: Float] = [:]
    for member in members {
      guard let token = Int32(member.key), token >= 0 else {
        throw self.failure("logit_bias", "'\(member.key)' is no token id")
      }
      guard let bias = member.value.fraction, (-100...100).contains(bias) else {
        throw self.failure("logit_bias", "the bias of token \(token) must be a number from -100 to 100")
      }
      biases[token] = bias
    }
    return biases
  }

  /// How many answers are wanted.
  mutating func answers() throws(DocumentError) -> Int { try self.optionalInteger("n", in: 1...128) ?? 1 }

  /// A text or up to `most` texts.
  mutating func stop(_ key: String = "stop", most: Int = 4) throws(DocumentError) -> [String] {
    guard let value = self.document(key) else { return [] }
    let texts: [String]
    if case .string(let text) = value.content { texts = [text] } else { texts = try self.strings(key) }
    guard texts.count <= most else { throw self.failure(key, "at most \(most) texts belong here") }
    guard texts.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 256 }) else {
      throw self.failure(key, "each text must have 1 to 256 bytes")
    }
    return texts
  }

  /// `safety_identifier`, else `user`.
  mutating func endUser() throws(DocumentError) -> String? {
    let user = try self.boundedText("user", most: 256)
    return try self.boundedText("safety_identifier", most: 64) ?? user
  }

  /// `stream_options`: whether a chunk with the usage is asked for.
  mutating func includesUsage(stream: Bool) throws(DocumentError) -> Bool {
    guard var options = try self.optionalReader("stream_options") else { return false }
    guard stream else { throw self.failure("stream_options", "belongs only to requests with \"stream\": true") }
    let includes = try options.optionalBool("include_usage") ?? false
    if try options.optionalBool("include_obfuscation") ?? false {
      throw options.failure("include_obfuscation", "is not supported in this version")
    }
    try options.finish()
    return includes
  }

  /// `metadata` is OpenAI's map of at most 16 short texts. Nothing of it is stored; `purpose` is read as the declared purpose.
  mutating func purpose() throws(DocumentError) -> String? {
    guard let metadata = try self.optionalReader("metadata") else { return nil }
    for key in metadata.keys where key != "purpose" {
      throw metadata.failure(key, "metadata is not stored here; only 'purpose' is read")
    }
    var reading = metadata
    return try reading.boundedText("purpose", most: 64)
  }

  /// `response_format`, or `text.format` of a response.
  mutating func outputFormat(_ key: String) throws(DocumentError) -> OutputFormat {
    guard var format = try self.optionalReader(key) else { return .text }
    switch try format.string("type") {
    case "text":
      try format.finish()
      return .text
    case "json_object":
      try format.finish()
      return .jsonObject
    case "json_schema":
      // Chat puts the schema one level deeper than responses do.
      guard var schema = try format.optionalReader("json_schema") else { return .jsonSchema(try format.schemaFormat()) }
      try format.finish()
      return .jsonSchema(try schema.schemaFormat())
    case let other: throw format.failure("type", "'\(other)' is not one of: text, json_object, json_schema")
    }
  }

  private mutating func schemaFormat() throws(DocumentError) -> JSONSchemaFormat {
    _ = try self.optionalString("type")
    let name = try self.identifierText("name")
    _ = try self.optionalString("description")
    let strict = try self.optionalBool("strict") ?? false
    let schema = try self.required("schema")
    guard case .map = schema.content else { throw self.failure("schema", "a JSON Schema belongs here, not \(schema.kind)") }
    try self.finish()
    return JSONSchemaFormat(name: name, schema: JSON(schema).text, isStrict: strict)
  }

  /// A name as OpenAI wants them: 1 to 64 letters, digits, `_` and `-`.
  mutating func identifierText(_ key: String) throws(DocumentError) -> String {
    let name = try self.string(key)
    let isPlain = name.utf8.allSatisfy { byte in
      Character(Unicode.Scalar(byte)).isASCII
        && (Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber || byte == 0x5F || byte == 0x2D)
    }
    guard (1...64).contains(name.utf8.count), isPlain else {
      throw self.failure(key, "1 to 64 letters, digits, '_' and '-' belong here")
    }
    return name
  }
}
