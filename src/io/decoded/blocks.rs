//! Decoded blocks of rasters, shared by all threads and sites: while its surroundings are read, a block is decoded once.
//!
//! GDAL's own cache belongs to a handle, and a handle to one thread at a time: at the edges of tiles it would decode again.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use lru::LruCache;

use super::blocked::Blocked;
use super::decode::{self, Block};
use super::pool::Pool;
use crate::geo::Rect;
use crate::io::IoError;
use crate::io::bands::Layer;
use crate::io::meter::{Meter, Work};
use crate::raster::Plane;

/// Where a block comes to lie; locked while it is decoded, so that no other thread decodes it too.
type Place = Arc<Mutex<Option<Arc<Block>>>>;

/// File, layer, column and row of a cell.
type Key = (Arc<Path>, Layer, usize, usize);

/// The blocks that were used last, up to a number of bytes.
pub struct Blocks {
    pool: Arc<Pool>,
    cache: Mutex<Cache>,
    meter: Meter,
}

struct Cache {
    capacity: usize,
    places: LruCache<Key, (Place, usize)>,
    bytes: usize,
}

impl Blocks {
    /// An empty store for `capacity` bytes of pixels of the files that `pool` opens.
    pub fn new(pool: Arc<Pool>, capacity: usize) -> Self {
        let cache = Cache {
            capacity,
            places: LruCache::unbounded(),
            bytes: 0,
        };
        Self {
            pool,
            cache: Mutex::new(cache),
            meter: Meter::default(),
        }
    }

    /// What the time of all that read from here is measured by.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// What is made of the stored values of `rect`, which must lie inside the raster, in `layer` of `file`: by `narrow` of those that a 32-bit
    /// float holds, by `wide` of others.
    ///
    /// # Errors
    /// A file that cannot be opened or read.
    pub fn read<V: Copy + Default>(
        &self,
        file: &Blocked,
        layer: Layer,
        rect: &Rect,
        narrow: impl Fn(f32) -> V,
        wide: impl Fn(f64) -> V,
    ) -> Result<Plane<V>, IoError> {
        let (w, h) = (file.cell.0 as i64, file.cell.1 as i64);
        let columns = rect.x / w..=(rect.right() - 1) / w;
        let rows = rect.y / h..=(rect.bottom() - 1) / h;
        let cells = rows.flat_map(|row| columns.clone().map(move |column| (column as usize, row as usize)));
        let mut cells: Vec<_> = cells.collect();
        let mut values = Plane::filled(*rect, V::default());
        // What another thread is decoding comes last: it is ready by then.
        for wait in [false, true] {
            for cell in std::mem::take(&mut cells) {
                // One is held at a time: a window may reach over many large ones, for which the store has no room.
                match self.block(file, layer, cell, wait)?.as_deref() {
                    None => cells.push(cell),
                    Some(Block::U8(block)) => put(block, &mut values, &narrow),
                    Some(Block::U16(block)) => put(block, &mut values, &narrow),
                    Some(Block::I16(block)) => put(block, &mut values, &narrow),
                    Some(Block::F32(block)) => put(block, &mut values, &narrow),
                    Some(Block::F64(block)) => put(block, &mut values, &wide),
                }
            }
        }
        Ok(values)
    }

    /// Has room for `capacity` bytes from now on, if it had less.
    pub fn hold(&self, capacity: usize) {
        let mut cache = lock(&self.cache);
        cache.capacity = cache.capacity.max(capacity);
    }

    /// Forgets all blocks.
    pub fn clear(&self) {
        let mut cache = lock(&self.cache);
        cache.places.clear();
        cache.bytes = 0;
    }

    /// The block at `cell`, column and row, in `layer` of `file`; `None` where another thread is decoding it and this one does not `wait`.
    fn block(
        &self,
        file: &Blocked,
        layer: Layer,
        cell: (usize, usize),
        wait: bool,
    ) -> Result<Option<Arc<Block>>, IoError> {
        let bytes = file.rect(cell.0, cell.1).area() * file.pixel_bytes;
        let place = |layer| self.place((file.path.clone(), layer, cell.0, cell.1), bytes);
        let wanted = place(layer);
        let mut held = match wanted.try_lock() {
            Ok(held) => held,
            Err(TryLockError::WouldBlock) if !wait => return Ok(None),
            Err(_) => lock(&wanted),
        };
        if held.is_some() {
            return Ok(held.clone());
        }
        // What another thread holds is decoded already, or soon: to wait for it with a place in hand could be for ever.
        let others = file.bands.iter().map(|band| Layer::Band(*band));
        let others: Vec<_> = others.filter(|other| *other != layer).collect();
        let places: Vec<_> = others.iter().map(|other| place(*other)).collect();
        let free = others
            .iter()
            .zip(&places)
            .filter_map(|(other, place)| Some((*other, place.try_lock().ok()?)));
        let mut free: Vec<_> = free.filter(|(_, held)| held.is_none()).collect();
        let layers: Vec<Layer> = std::iter::once(layer)
            .chain(free.iter().map(|(other, _)| *other))
            .collect();
        let decoded = self.meter.time(Work::Decode, || {
            self.pool
                .with(&file.path, |handle| decode::cell(handle, file, &layers, cell))
        });
        let mut decoded = decoded??.into_iter().map(Arc::new);
        *held = decoded.next();
        for ((_, held), block) in free.iter_mut().zip(decoded) {
            **held = Some(block);
        }
        Ok(held.clone())
    }

    /// The place of a block, which is now the one used last; those used least make way.
    fn place(&self, key: Key, bytes: usize) -> Place {
        let mut cache = lock(&self.cache);
        if let Some((place, _)) = cache.places.get(&key) {
            return place.clone();
        }
        while cache.bytes + bytes > cache.capacity
            && let Some((_, (_, gone))) = cache.places.pop_lru()
        {
            cache.bytes -= gone;
        }
        let place = Place::default();
        cache.bytes += bytes;
        cache.places.put(key, (place.clone(), bytes));
        place
    }
}

/// A lock that a panic elsewhere does not spoil: what it guards is whole at any moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts what `convert` makes of the pixels of `block` where they lie in `values`.
fn put<T: Copy + Into<N>, N, V>(block: &Plane<T>, values: &mut Plane<V>, convert: &impl Fn(N) -> V) {
    let shared = block.rect().intersect(&values.rect());
    // Slices: the compiler makes one instruction of several values.
    for (values, stored) in values.rows_of_mut(&shared).zip(block.rows_of(&shared)) {
        for (value, stored) in values.iter_mut().zip(stored) {
            *value = convert((*stored).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
    use crate::io::open;

    /// A raster of 40 x 40 pixels in blocks of 16, two bands: 100 y + x, and that plus 10,000.
    fn raster(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("a.tif");
        let layout = Layout {
            width: 40,
            height: 40,
            bands: 2,
            data_type: DataType::U16,
            transform: [500_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0],
            crs: "EPSG:32633".into(),
            nodata: None,
            compression: Compression::Deflate(1),
            block: 16,
        };
        let mut writer = GeoTiffWriter::create(&path, layout).unwrap();
        for band in [1, 2] {
            let value = |i: u16| (u16::try_from(band).unwrap() - 1) * 10_000 + i / 40 * 100 + i % 40;
            let pixels: Vec<u16> = (0..1600).map(value).collect();
            writer.write(band, &Rect::new(0, 0, 40, 40), &pixels).unwrap();
        }
        writer.finish().unwrap();
        path
    }

    #[test]
    fn a_window_over_many_blocks_is_what_the_file_holds_whatever_the_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = raster(folder.path());
        let info = open::info(&path, crate::io::formats::USUAL).unwrap();
        for (capacity, cell) in [(0, None), (3000, Some((16, 16))), (1 << 20, Some((16, 16)))] {
            let pool = Arc::new(Pool::default());
            let blocks = Blocks::new(pool.clone(), capacity);
            let mut file = Blocked::new(&path, &info, vec![1, 2]);
            file.cell = cell.unwrap_or(file.cell);
            for rect in [
                Rect::new(0, 0, 40, 40),
                Rect::new(15, 3, 2, 30),
                Rect::new(33, 39, 7, 1),
            ] {
                for band in [1, 2] {
                    let expected: Plane<u16> = pool.read(&path, band, &rect).unwrap();
                    let found = blocks
                        .read(&file, Layer::Band(band), &rect, |v| v, |v| v as f32)
                        .unwrap();
                    assert_eq!(found, expected.map(|v| f32::from(*v)), "{capacity} bytes, {rect:?}");
                }
            }
            let cache = lock(&blocks.cache);
            let bytes: usize = cache.places.iter().map(|(_, (_, bytes))| bytes).sum();
            assert_eq!(bytes, cache.bytes);
            assert!(bytes <= capacity.max(file.cell.0 * file.cell.1 * file.pixel_bytes));
        }
    }

    #[test]
    fn blocks_stay_while_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = raster(folder.path());
        let info = open::info(&path, crate::io::formats::USUAL).unwrap();
        let blocks = Blocks::new(Arc::default(), 0);
        let mut file = Blocked::new(&path, &info, vec![1]);
        file.cell = (16, 16);
        let held = |blocks: &Blocks| {
            blocks
                .read(&file, Layer::Band(1), &file.bounds, |v| v, |v| v as f32)
                .unwrap();
            lock(&blocks.cache).bytes
        };
        assert_eq!(held(&blocks), 8 * 8 * 2, "the last block alone");
        blocks.hold(1 << 20);
        assert_eq!(held(&blocks), 40 * 40 * 2);
        // No site takes room from another.
        blocks.hold(0);
        assert_eq!(held(&blocks), 40 * 40 * 2);
    }

    #[test]
    fn a_block_brings_the_other_bands_and_is_decoded_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = raster(folder.path());
        let info = open::info(&path, crate::io::formats::USUAL).unwrap();
        let blocks = Blocks::new(Arc::default(), 1 << 20);
        let info = open::RasterInfo {
            bands_in_block: 2,
            ..info
        };
        let file = Blocked::new(&path, &info, vec![1, 2]);
        let pixel = Rect::new(5, 5, 1, 1);
        assert_eq!(
            blocks.read(&file, Layer::Band(1), &pixel, |v| v, |v| v as f32).unwrap()[[0, 0]],
            505.0
        );
        blocks.pool.forget(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(
            blocks.read(&file, Layer::Band(2), &pixel, |v| v, |v| v as f32).unwrap()[[0, 0]],
            10_505.0
        );
    }
}
