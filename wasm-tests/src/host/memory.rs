//! Reading and writing the module's memory.

use wasmtime::{Caller, Extern, Memory, Result, error::Context as _};

use crate::header_map;
use crate::reply::Headers;

use super::state::State;

/// The module's memory, from within one of its calls.
pub(super) struct Guest<'a>(pub(super) Caller<'a, State>);

impl Guest<'_> {
    /// What the host keeps.
    pub(super) fn state(&mut self) -> &mut State {
        self.0.data_mut()
    }

    /// These bytes of it.
    pub(super) fn read(&mut self, pointer: u32, size: u32) -> Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(size)?];
        let memory = self.memory()?;
        memory.read(&self.0, usize::try_from(pointer)?, &mut bytes)?;
        Ok(bytes)
    }

    /// These bytes of it, as text. Bytes that are no UTF-8 become U+FFFD.
    pub(super) fn text(&mut self, pointer: u32, size: u32) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.read(pointer, size)?).into_owned())
    }

    /// A serialized header map.
    pub(super) fn headers(&mut self, pointer: u32, size: u32) -> Result<Headers> {
        let bytes = self.read(pointer, size)?;
        if bytes.is_empty() {
            Ok(Vec::new())
        } else {
            header_map::parse(&bytes).context("a serialized map")
        }
    }

    /// Writes bytes.
    pub(super) fn write(&mut self, pointer: u32, bytes: &[u8]) -> Result<()> {
        let memory = self.memory()?;
        memory.write(&mut self.0, usize::try_from(pointer)?, bytes)?;
        Ok(())
    }

    /// Writes a number.
    pub(super) fn write_u32(&mut self, pointer: u32, number: u32) -> Result<()> {
        self.write(pointer, &number.to_le_bytes())
    }

    /// Hands bytes over in memory that the module allots, and writes where and how many.
    pub(super) fn give(&mut self, bytes: &[u8], return_data: u32, return_size: u32) -> Result<()> {
        let size = u32::try_from(bytes.len())?;
        let pointer = if size == 0 { 0 } else { self.allot(size)? };
        if size > 0 {
            self.write(pointer, bytes)?;
        }
        self.write_u32(return_data, pointer)?;
        self.write_u32(return_size, size)
    }

    /// Tells the module, in the midst of its call, that a context is gone.
    pub(super) fn delete(&mut self, context: u32) -> Result<()> {
        let function = self.0.get_export("proxy_on_delete");
        let function = function
            .and_then(Extern::into_func)
            .context("the module exports `proxy_on_delete`")?;
        function
            .typed::<u32, ()>(&self.0)?
            .call(&mut self.0, context)
    }

    fn allot(&mut self, size: u32) -> Result<u32> {
        let function = ["proxy_on_memory_allocate", "malloc"]
            .iter()
            .find_map(|name| self.0.get_export(name).and_then(Extern::into_func))
            .context("the module exports no way to allot memory")?;
        function.typed::<u32, u32>(&self.0)?.call(&mut self.0, size)
    }

    fn memory(&mut self) -> Result<Memory> {
        self.0
            .get_export("memory")
            .and_then(Extern::into_memory)
            .context("the module exports no memory")
    }
}
