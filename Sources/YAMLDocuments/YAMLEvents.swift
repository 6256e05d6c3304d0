internal import CLibYAML
internal import Documents

/// The events of one text, one after the other. The library keeps no tree, expands no alias, and its memory is bounded by the text.
struct YAMLEvents: ~Copyable {
  /// What begins, ends or stands at a place.
  enum Kind {
    case mappingStart, mappingEnd, sequenceStart, sequenceEnd, scalar, alias
    case documentStart, documentEnd, streamStart, streamEnd, nothing
  }

  // The library keeps addresses inside of its own state, so the state stays in one place on the heap. It reads the text from the
  // buffer given to `init`, which the caller keeps alive for as long as this value lives. An event owns its strings until the
  // next one is asked for; they are copied before that.
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let event: UnsafeMutablePointer<yaml_event_t>
  private let text: UnsafeBufferPointer<UInt8>

  init(_ text: UnsafeBufferPointer<UInt8>) throws(DocumentError) {
    self.text = text
    self.parser = .allocate(capacity: 1)
    self.event = .allocate(capacity: 1)
    self.event.initialize(to: yaml_event_t())
    self.parser.initialize(to: yaml_parser_t())
    guard yaml_parser_initialize(self.parser) == 1 else {
      throw DocumentError(position: .start, message: "there is no memory for reading the text as YAML")
    }
    yaml_parser_set_encoding(self.parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(self.parser, text.baseAddress, text.count)
  }

  deinit {
    yaml_event_delete(self.event)
    yaml_parser_delete(self.parser)
    self.event.deallocate()
    self.parser.deallocate()
  }

  /// Goes on to the next event.
  mutating func next() throws(DocumentError) -> Kind {
    yaml_event_delete(self.event)
    guard yaml_parser_parse(self.parser, self.event) == 1 else { throw self.failure }
    switch self.event.pointee.type {
    case YAML_SCALAR_EVENT: return .scalar
    case YAML_MAPPING_START_EVENT: return .mappingStart
    case YAML_MAPPING_END_EVENT: return .mappingEnd
    case YAML_SEQUENCE_START_EVENT: return .sequenceStart
    case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
    case YAML_ALIAS_EVENT: return .alias
    case YAML_DOCUMENT_START_EVENT: return .documentStart
    case YAML_DOCUMENT_END_EVENT: return .documentEnd
    case YAML_STREAM_START_EVENT: return .streamStart
    case YAML_STREAM_END_EVENT: return .streamEnd
    default: return .nothing
    }
  }

  /// Where the event began.
  var position: TextPosition { TextPosition(self.event.pointee.start_mark) }

  /// Whether the node of the event has an anchor.
  var hasAnchor: Bool {
    switch self.event.pointee.type {
    case YAML_SCALAR_EVENT: self.event.pointee.data.scalar.anchor != nil
    case YAML_SEQUENCE_START_EVENT: self.event.pointee.data.sequence_start.anchor != nil
    case YAML_MAPPING_START_EVENT: self.event.pointee.data.mapping_start.anchor != nil
    default: false
    }
  }

  /// The tag that the text gives the node of the event.
  var tag: String? {
    let tag: UnsafeMutablePointer<yaml_char_t>? =
      switch self.event.pointee.type {
      case YAML_SCALAR_EVENT: self.event.pointee.data.scalar.tag
      case YAML_SEQUENCE_START_EVENT: self.event.pointee.data.sequence_start.tag
      case YAML_MAPPING_START_EVENT: self.event.pointee.data.mapping_start.tag
      default: nil
      }
    return tag.map { String(cString: $0) }
  }

  /// Whether the scalar stands without quotes and is no block text.
  var isPlain: Bool { self.event.pointee.data.scalar.style == YAML_PLAIN_SCALAR_STYLE }

  /// The text of the scalar.
  var string: String {
    let scalar = self.event.pointee.data.scalar
    return String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
  }

  /// The first byte of the scalar; nil where it is empty.
  var firstByte: UInt8? {
    let scalar = self.event.pointee.data.scalar
    return scalar.length == 0 ? nil : scalar.value?.pointee
  }

  /// What the library refused, in our form.
  private var failure: DocumentError {
    let state = self.parser.pointee
    let problem = state.problem.map { String(cString: $0) } ?? "no reason is known"
    switch state.error {
    case YAML_MEMORY_ERROR:
      return DocumentError(position: .start, message: "there is no memory for reading the text as YAML")
    case YAML_READER_ERROR:
      return DocumentError(position: TextPosition(offset: state.problem_offset, in: self.text), message: "not YAML: \(problem)")
    default:
      let position = TextPosition(state.problem_mark)
      guard let context = state.context.map({ String(cString: $0) }) else {
        return DocumentError(position: position, message: "not YAML: \(problem)")
      }
      if context == "while scanning an alias" { return DocumentError(aliasAt: position, field: "") }
      return DocumentError(position: position, message: "not YAML: \(problem) (\(context))")
    }
  }
}

extension DocumentError {
  init(aliasAt position: TextPosition, field: String) {
    self.init(field: field, position: position, message: "aliases (*name) are not read; write the value out, or quote it")
  }
}

extension TextPosition {
  /// The library counts from 0.
  fileprivate init(_ mark: yaml_mark_t) { self.init(line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1) }

  fileprivate init(offset: Int, in text: UnsafeBufferPointer<UInt8>) {
    let before = text.prefix(max(0, offset))
    let line = before.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
    let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
    self.init(line: line, column: column)
  }
}
