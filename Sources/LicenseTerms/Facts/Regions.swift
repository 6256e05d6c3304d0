/// Countries by ISO 3166-1 alpha-2, and the groups of them that licenses name.
enum Regions {
  /// The codes that a name in a term file stands for: a country, or `EU`, `EEA`; nil for anything else.
  static func expanded(_ name: String) -> [String]? {
    if let group = Self.groups[name] { return group }
    return Self.countries.contains(name) ? [name] : nil
  }

  /// The code in capitals, if it is a country's.
  static func country(_ text: String) -> String? {
    guard text.utf8.count == 2 else { return nil }
    let code = text.uppercased()
    return Self.countries.contains(code) ? code : nil
  }

  static let countries = Set(
    codes(
      """
      AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF
      CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH
      GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW
      KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG
      NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN
      SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT
      ZA ZM ZW
      """))

  /// The member states of the European Union since 2020-02-01.
  private static let european = codes("AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE")

  /// The European Economic Area is the Union with Iceland, Liechtenstein and Norway.
  private static let groups = ["EU": european, "EEA": european + ["IS", "LI", "NO"]]
}

private func codes(_ text: String) -> [String] { text.split { $0 == " " || $0 == "\n" }.map(String.init) }
