//! Layers of polygons and tables of attributes, as a vector file holds them.

pub use super::gpkg::write_gpkg;

/// Polygons, their rings, their positions `[longitude, latitude]` in WGS 84; rings are closed.
pub type Polygons = Vec<Vec<Vec<[f64; 2]>>>;

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// UTF-8.
    Text,
    /// Double precision.
    Real,
    /// 64 bits, signed.
    Integer,
    /// True or false.
    Boolean,
    /// An instant in UTC.
    DateTime,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of a text field; of a field of instants in RFC 3339, where text that is no instant is null.
    Text(String),
    /// Of a field of real numbers.
    Real(f64),
    /// Of a field of integers.
    Integer(i64),
    /// Of a field that is true or false.
    Boolean(bool),
    /// Not known.
    Null,
}

/// A feature of a layer, or a row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Where it is; empty in a table, and where no place is known.
    pub polygons: Polygons,
    /// A value for each field of the layer.
    pub values: Vec<Value>,
}

/// A layer of polygons, or a table without geometry.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Its name in the file.
    pub name: &'static str,
    /// What it holds, in a few words; no two layers have the same.
    pub title: &'static str,
    /// Name of the column of row numbers, from 1.
    pub key: &'static str,
    /// Whether its rows have a geometry, in the column `geom`.
    pub spatial: bool,
    /// Names and kinds of its fields.
    pub fields: Vec<(&'static str, FieldKind)>,
    /// Its rows.
    pub rows: Vec<Row>,
}
