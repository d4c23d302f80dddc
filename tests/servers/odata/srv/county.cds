// SPDX-License-Identifier: Apache-2.0
// What the tests read and write: a property of each type, an ETag, a composite key, a navigation.
@path: '/odata/v4/county'
service County {
  entity Accounts {
    key account_no : String(20);
    owner_name     : String(100) not null;
    balance        : Decimal(18,2);
    long_number    : Int64;
    small_number   : Int16;
    ratio          : Double;
    active         : Boolean;
    due_on         : Date;
    due_at         : Time;
    paid_at        : Timestamp;
    reference      : UUID;
    photo          : Binary;
    @odata.etag
    modified       : Timestamp @cds.on.insert: $now @cds.on.update: $now;
    lines          : Composition of many Lines on lines.account = $self;
  }
  entity Lines {
    key account    : Association to Accounts;
    key line       : Integer;
    amount         : Decimal(12,2);
  }
}

// The matrix test's records. Decimals and times are texts here, as SQLite below this server keeps neither exactly.
@path: '/odata/v4/matrix'
service Matrix {
  entity thing {
    key id : Int64;
    name   : LargeString;
    note   : LargeString;
    big    : Int64;
    huge   : String;
    fine   : String;
    money  : String;
    flag   : Boolean;
    day    : Date;
    clock  : String;
    moment : String;
    code   : UUID;
    doc    : LargeString;
    photo  : Binary;
  }
}
